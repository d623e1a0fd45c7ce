"""The token process, the only place that loads PKCS#11 modules.

One module, one process.
"""
