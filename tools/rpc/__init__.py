"""The interface compiler: from a file that says which procedures there are to a typed client and server in C++.

    tools/python -m rpc FILE.rpc OUT.hpp

docs/how-to-call-another-libos.md describes the language.
"""
