"""The decision: what ships, what a person must look at, what does not ship.

`document` what policies see · `builder` evidence to that document · `packs` policies and their digests ·
`rego_source` what Rego may not contain · `engine` the seam; `regopy_engine`, `opa_engine` behind it ·
`decision` reasons to a verdict · `approvals` a held verdict to a pass · `policy_test` a pack's own tests.
"""

from assay.gate.approvals import (
    ApprovalState,
    CheckedApproval,
    apply_approvals,
    approval_state,
    make_approval,
)
from assay.gate.builder import CheckedEvidence, build_document
from assay.gate.decision import ApprovalTerms, decide
from assay.gate.document import (
    Champion,
    GateInput,
    RegistryState,
    RolledBack,
    Settings,
    input_schema,
)
from assay.gate.engine import Module, PolicyEngine, open_engine
from assay.gate.packs import Pack, builtin_names, load_pack, load_packs, policy_digest
from assay.gate.policy_test import PolicyTestResult, PolicyTestRun, run_policy_tests

__all__ = [
    "ApprovalState",
    "ApprovalTerms",
    "Champion",
    "CheckedApproval",
    "CheckedEvidence",
    "GateInput",
    "Module",
    "Pack",
    "PolicyEngine",
    "PolicyTestResult",
    "PolicyTestRun",
    "RegistryState",
    "RolledBack",
    "Settings",
    "apply_approvals",
    "approval_state",
    "build_document",
    "builtin_names",
    "decide",
    "input_schema",
    "load_pack",
    "load_packs",
    "make_approval",
    "open_engine",
    "policy_digest",
    "run_policy_tests",
]
