import eu.europa.esig.dss.diagnostic.DiagnosticData;
import eu.europa.esig.dss.diagnostic.SignatureWrapper;
import eu.europa.esig.dss.diagnostic.jaxb.XmlDigestMatcher;
import eu.europa.esig.dss.enumerations.SubIndication;
import eu.europa.esig.dss.enumerations.TokenExtractionStrategy;
import eu.europa.esig.dss.jaxb.object.Message;
import eu.europa.esig.dss.model.FileDocument;
import eu.europa.esig.dss.simplereport.SimpleReport;
import eu.europa.esig.dss.simplereport.jaxb.XmlSignatureScope;
import eu.europa.esig.dss.spi.DSSUtils;
import eu.europa.esig.dss.spi.policy.SignaturePolicyProvider;
import eu.europa.esig.dss.spi.validation.CertificateVerifier;
import eu.europa.esig.dss.spi.validation.CommonCertificateVerifier;
import eu.europa.esig.dss.spi.x509.CertificateSource;
import eu.europa.esig.dss.spi.x509.CommonCertificateSource;
import eu.europa.esig.dss.spi.x509.CommonTrustedCertificateSource;
import eu.europa.esig.dss.spi.x509.revocation.crl.ExternalResourcesCRLSource;
import eu.europa.esig.dss.validation.SignedDocumentValidator;
import eu.europa.esig.dss.validation.reports.Reports;

import java.io.File;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Date;
import java.util.List;
import java.util.function.Function;

/**
 * Validates documents with DSS and its default policy, offline, and prints one JSON line per signature.
 *
 * <p>Arguments: {@code --at INSTANT} (the validation time), {@code --anchor FILE}, {@code --intermediate FILE},
 * {@code --crl FILE}; everything else is a document.  A document without a signature, or that DSS cannot read,
 * prints one line with an empty indication.  Reads nothing from the network.
 */
public final class Validate {
    private final CertificateSource anchors = new CommonTrustedCertificateSource();
    private final CertificateSource intermediates = new CommonCertificateSource();
    private final List<String> crls = new ArrayList<>();
    private final List<File> documents = new ArrayList<>();
    private Instant at = Instant.now();

    public static void main(String[] arguments) throws Exception {
        Validate run = new Validate();
        run.read(arguments);
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        for (File document : run.documents) {
            try {
                run.validate(document, out);
            } catch (RuntimeException error) {  // DSS throws what it cannot read
                out.println(new Line().text("document", document.getName()).text("indication", "")
                    .list("errors", List.of(String.valueOf(error))).end());
            }
        }
    }

    private void read(String[] arguments) {
        for (int index = 0; index < arguments.length; index++) {
            switch (arguments[index]) {
                case "--at" -> at = Instant.parse(arguments[++index]);
                case "--anchor" -> anchors.addCertificate(DSSUtils.loadCertificate(new File(arguments[++index])));
                case "--intermediate" ->
                    intermediates.addCertificate(DSSUtils.loadCertificate(new File(arguments[++index])));
                case "--crl" -> crls.add(arguments[++index]);
                default -> documents.add(new File(arguments[index]));
            }
        }
    }

    private CertificateVerifier verifier() throws Exception {
        CommonCertificateVerifier verifier = new CommonCertificateVerifier();
        verifier.setAIASource(null);  // the default one would fetch
        verifier.setTrustedCertSources(anchors);
        verifier.setAdjunctCertSources(intermediates);
        List<FileDocument> files = new ArrayList<>();
        for (String crl : crls) {
            files.add(new FileDocument(crl));
        }
        verifier.setCrlSource(new ExternalResourcesCRLSource(files.toArray(new FileDocument[0])));
        return verifier;
    }

    private void validate(File document, PrintStream out) throws Exception {
        SignedDocumentValidator validator = SignedDocumentValidator.fromDocument(new FileDocument(document));
        validator.setCertificateVerifier(verifier());
        validator.setValidationTime(Date.from(at));
        validator.setSignaturePolicyProvider(new SignaturePolicyProvider());  // the default one would fetch
        validator.setTokenExtractionStrategy(TokenExtractionStrategy.NONE);
        Reports reports = validator.validateDocument();
        SimpleReport simple = reports.getSimpleReport();
        DiagnosticData data = reports.getDiagnosticData();
        for (String id : simple.getSignatureIdList()) {
            out.println(line(document, simple, data, id));
        }
        if (simple.getSignatureIdList().isEmpty()) {
            out.println(start(document, data).text("indication", "").end());
        }
    }

    private static Line start(File document, DiagnosticData data) {
        boolean container = data.isContainerInfoPresent();
        return new Line()
            .text("document", document.getName())
            .text("container", container ? String.valueOf(data.getContainerType()) : "")
            .text("mimetype", container ? String.valueOf(data.getMimetypeFileContent()) : "")
            .list("content", container ? data.getContainerInfo().getContentFiles() : List.of());
    }

    private static String line(File document, SimpleReport simple, DiagnosticData data, String id) {
        SignatureWrapper signature = data.getSignatureById(id);
        SubIndication sub = simple.getSubIndication(id);
        return start(document, data)
            .text("file", String.valueOf(signature.getFilename()))
            .text("indication", String.valueOf(simple.getIndication(id)))
            .text("sub_indication", sub == null ? "" : sub.name())
            .text("level", String.valueOf(simple.getSignatureFormat(id)))
            .text("signed_by", String.valueOf(simple.getSignedBy(id)))
            .text("signed_at", signature.getClaimedSigningTime() == null
                ? "" : signature.getClaimedSigningTime().toInstant().toString())
            .text("algorithm", String.valueOf(signature.getSignatureAlgorithm()))
            .flag("structure_valid", signature.isStructuralValidationValid())
            .list("structure_messages", signature.getStructuralValidationMessages())
            .list("scopes", each(simple.getSignatureScopes(id), Validate::scope))
            .list("references", each(signature.getDigestMatchers(), Validate::reference))
            .list("errors", each(simple.getAdESValidationErrors(id), Message::getValue))
            .list("warnings", each(simple.getAdESValidationWarnings(id), Message::getValue))
            .list("infos", each(simple.getAdESValidationInfo(id), Message::getValue))
            .end();
    }

    private static String scope(XmlSignatureScope scope) {
        return scope.getScope() + " " + scope.getName();
    }

    private static String reference(XmlDigestMatcher matcher) {
        String state = matcher.isDataIntact() ? "intact" : matcher.isDataFound() ? "changed" : "missing";
        String name = matcher.getUri() == null ? matcher.getDocumentName() : matcher.getUri();
        return matcher.getType() + " " + state + " " + name;
    }

    private static <T> List<String> each(Collection<T> values, Function<T, String> text) {
        return values.stream().map(text).toList();
    }

    /** One flat JSON object. */
    private static final class Line {
        private final StringBuilder json = new StringBuilder();

        Line text(String name, String value) {
            return raw(name, quoted(value));
        }

        Line flag(String name, boolean value) {
            return raw(name, String.valueOf(value));
        }

        Line list(String name, Collection<String> values) {
            return raw(name, "[" + String.join(",", each(values, Line::quoted)) + "]");
        }

        String end() {
            return json.append('}').toString();
        }

        private Line raw(String name, String value) {
            json.append(json.isEmpty() ? '{' : ',').append(quoted(name)).append(':').append(value);
            return this;
        }

        private static String quoted(String value) {
            StringBuilder text = new StringBuilder("\"");
            for (char one : String.valueOf(value).toCharArray()) {
                if (one == '"' || one == '\\') {
                    text.append('\\').append(one);
                } else if (one < ' ') {
                    text.append(String.format("\\u%04x", (int) one));
                } else {
                    text.append(one);
                }
            }
            return text.append('"').toString();
        }
    }
}
