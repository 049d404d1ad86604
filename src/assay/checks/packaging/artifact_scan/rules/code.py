"""Programs beside the weights: Python, shell and other scripts, notebooks, native code."""

from __future__ import annotations

from assay.core.finding import Rule, Severity

_TAGS = ("owasp:LLM03", "atlas:AML.T0011", "atlas:AML.T0010")
_READ = "Do not import it. Read the named line; take the code from its project's own release, pinned."
_SCRIPT = "Do not run it. Read the named line, and get the script from its project's own release."

PROCESS = Rule(
    "python/starts-process",
    "Python starts a program",
    Severity.CRITICAL,
    "At import this is a program started by loading the model (auto_map, a planted module).",
    _READ,
    (*_TAGS, "cwe:CWE-78"),
)
EXECUTE = Rule(
    "python/dynamic-code",
    "Python runs code that is not in its source",
    Severity.HIGH,
    "exec, eval and importers given computed text, and trust_remote_code, run what no review of this file "
    "sees.",
    _READ,
    (*_TAGS, "cwe:CWE-95"),
)
NETWORK = Rule(
    "python/network",
    "Python reaches the network",
    Severity.HIGH,
    "An import that connects tells who loads the model, and fetches what was not scanned.",
    _READ,
    (*_TAGS, "cwe:CWE-829"),
)
NATIVE_LOAD = Rule(
    "python/loads-native-code",
    "Python loads or builds native code",
    Severity.HIGH,
    "A library loaded through ctypes, cffi or a framework runs outside all that Python can be checked for.",
    _READ,
    (*_TAGS, "cwe:CWE-114"),
)
UNPICKLE = Rule(
    "python/unpickles",
    "Python loads a format that runs code",
    Severity.HIGH,
    "pickle, joblib, marshal, torch.load without weights_only and np.load with allow_pickle run what "
    "the file says.",
    "Load safetensors, or pass weights_only=True or allow_pickle=False; do not import this as it is.",
    (*_TAGS, "cwe:CWE-502"),
)
WRITE = Rule(
    "python/writes-files",
    "Python changes files when it is imported",
    Severity.MEDIUM,
    "What an import writes, removes or makes executable outlives the process that loaded the model.",
    _READ,
    (*_TAGS, "cwe:CWE-73"),
)
PRIVATE = Rule(
    "python/private-files",
    "Python opens files where users keep keys and start-up commands",
    Severity.HIGH,
    "Keys of ssh, clouds and hubs are stolen from there; what is written to shell profiles runs at login.",
    _READ,
    (*_TAGS, "cwe:CWE-552"),
)
PATCH = Rule(
    "python/patches-runtime",
    "Python changes the interpreter or a library under it",
    Severity.HIGH,
    "Replaced builtins, importers or loaders, and folders that modules are imported from, change what all "
    "later code of the process does.",
    _READ,
    (*_TAGS, "cwe:CWE-471"),
)
EXFILTRATE = Rule(
    "python/sends-secrets",
    "Python sends environment variables or credentials to the network",
    Severity.CRITICAL,
    "Tokens of clouds and model hubs lie in the environment and the home folder of whoever loads the model.",
    _READ,
    (*_TAGS, "cwe:CWE-200"),
)
OBFUSCATED = Rule(
    "python/obfuscated",
    "Python hides what it does",
    Severity.HIGH,
    "Decoded code, computed names, look-alike identifiers, hidden characters (CVE-2021-42574) and encodings "
    "in which a comment is code have no place beside weights.",
    _READ,
    (*_TAGS, "cwe:CWE-506"),
)
AUTORUN = Rule(
    "code/runs-by-itself",
    "A file is run by a tool without being asked for",
    Severity.MEDIUM,
    "sitecustomize, .pth lines, hooks, folder-open tasks and install scripts run for whoever opens or "
    "installs this.",
    "Remove it from the model's folder, or review it as code that everybody runs.",
    (*_TAGS, "cwe:CWE-829"),
)
SCRIPT = Rule(
    "script/dangerous-command",
    "A script runs a command that fetches, hides or destroys",
    Severity.HIGH,
    "Code piped into a shell, decoded commands, written keys: droppers are made of them.",
    _SCRIPT,
    (*_TAGS, "cwe:CWE-78"),
)
REVERSE_SHELL = Rule(
    "script/reverse-shell",
    "A script opens a shell to another machine",
    Severity.CRITICAL,
    "Whoever listens there commands the machine that ran it.",
    _SCRIPT,
    (*_TAGS, "cwe:CWE-506"),
)
ACTIVE_OUTPUT = Rule(
    "notebook/active-output",
    "A notebook carries scripts in what it shows",
    Severity.LOW,
    "HTML, SVG and JavaScript outputs run in the browser of whoever opens the notebook as trusted.",
    "Clear the outputs before opening it.",
    ("owasp:LLM03", "cwe:CWE-79"),
)
NATIVE = Rule(
    "repository/native-code",
    "Native code lies beside the weights",
    Severity.MEDIUM,
    "Machine code cannot be judged by reading it, and no weights need it.",
    "Remove it, or build it yourself from reviewed source.",
    ("owasp:LLM03", "atlas:AML.T0010", "cwe:CWE-1104"),
)
BYTECODE = Rule(
    "repository/bytecode",
    "Python byte code lies beside the weights",
    Severity.MEDIUM,
    "Python may run a .pyc in place of its source, and the two need not agree.",
    "Remove __pycache__ and every .pyc; Python makes them again from the source.",
    ("owasp:LLM03", "atlas:AML.T0010", "cwe:CWE-506"),
)
RULES = (PROCESS, EXECUTE, NETWORK, NATIVE_LOAD, UNPICKLE, WRITE, PRIVATE, PATCH, EXFILTRATE, OBFUSCATED,
         AUTORUN, SCRIPT, REVERSE_SHELL, ACTIVE_OUTPUT, NATIVE, BYTECODE)  # fmt: skip
