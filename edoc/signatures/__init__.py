"""Create and validate signatures, pure: bytes and open streams in, values out; time is an argument.

Made, in two phases (prepare → digest → the token signs → finish):
    creation      the seal's certificate, the checks before and after signing
    xades         containers (detached) and status messages (enveloped)
    cades, pades  manifests, the directory, PDFs;  der writes their octets
    timestamp     RFC 3161

Validated, after EN 319 102-1 (facts first, policy second):
    validation        the entry points: package, status, manifest, PDF, any file
    validate_*        the facts of each format;  xml_structure, recognise, cms, window help them to read
    facts, findings   what was found, check by check
    chain, revocation, certificates, algorithms    X.509 and cryptography
    judgement         pins, constraints, the indication

Rules: no library's exception leaves here; it becomes a verdict or an EdocError.  Nothing is fetched.  A reference is
reached by walking, never by searching.  Does not know the exchange: what follows from a verdict is decided there.
"""
