"""What several rules say alike: tags and the safest next step."""

CODE = ("owasp:LLM03", "atlas:AML.T0018.002", "cwe:CWE-502")
FILE = ("owasp:LLM03", "cwe:CWE-345")
SAFE = (
    "Do not load it. Ask for the weights as safetensors, which hold no code, or get the file from its source "
    "again."
)
AGAIN = "Do not open it. Get the file from its source again, and compare its SHA-256 with the published one."
SOURCE_OF_TEMPLATE = (
    "Do not render it. Take the template from the model's own source, and render templates in Jinja's "
    "ImmutableSandboxedEnvironment only."
)
