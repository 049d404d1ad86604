"""Python byte code (`.pyc`): its header, and the names and constants of its code. Nothing is unmarshalled.

`header` what the file says of its source (PEP 552) · `marshal` a bounded reader of the data behind it ·
`siphash` the hash by which Python tells one source from another.
"""

from assay.subjects.bytecode.header import BytecodeHeader, read_header
from assay.subjects.bytecode.marshal import Code, read_code
from assay.subjects.bytecode.siphash import source_hash

__all__ = ["BytecodeHeader", "Code", "read_code", "read_header", "source_hash"]
