"""What several rules say alike: tags and the safest next step."""

CODE = ("owasp:LLM03", "atlas:AML.T0018.002", "cwe:CWE-502")
FILE = ("owasp:LLM03", "cwe:CWE-345")
SAFE = "Do not load it. Ask for safetensors, which hold no code; get the file from its source again."
