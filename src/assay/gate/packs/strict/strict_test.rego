package assay.strict_test

import data.assay.strict
import rego.v1

check := {
	"present": true, "status": "pass", "message": "", "applicable": true, "not_applicable_reason": "",
	"not_applicable_expired": false, "summary": "no findings", "findings": [], "findings_total": 0,
	"counts": {"info": 0, "low": 0, "medium": 0, "high": 0, "critical": 0},
	"metrics": {"compared": true, "relative_l2": 0.1},
	"coverage": {"unit": "files", "examined": 3, "skipped_total": 0, "complete": true, "notes": []},
	"age_seconds": 60, "signed": true, "signer": "key", "signature_problem": "",
	"subject": "aa", "subject_matches": true, "baseline": "bb", "baseline_matches": true, "check_version": "1",
	"options": {}, "options_match": true, "role": "",
	"ignored": {"info": 0, "low": 0, "medium": 0, "high": 0, "critical": 0}, "ignored_expired": 0,
}

needed := {name | some name in data.settings.baseline.required} | {name | some name in data.settings.strict.required}

release := {
	"version": 1, "now": {"rfc3339": "2026-01-01T00:00:00Z", "unix": 1767225600}, "model": "m",
	"candidate": {"digest": "cc", "subjects": {"model": "aa"}},
	"checks": {name: check | some name in needed},
	"registry": {"alias": "champion", "champion": null, "rolled_back": null},
	"settings": {"max_age_seconds": 2592000, "user": {}},
}

# `release` with fields of one check changed.
changed(name, fields) := with_checks(object.union(release.checks, {name: object.union(check, fields)}))

with_checks(checks) := object.union(
	{key: value | some key, value in release; key != "checks"},
	{"checks": checks},
)

# Two people must always look; this is what comes on top.
found := {[r.decision, r.id, r.check] |
	some r in strict.reasons
	r.id != "two-person-rule"
}

only(decision, id, name) if found == {[decision, id, name]}

test_two_people_for_every_release if {
	{[r.decision, r.id] | some r in strict.reasons} == {["hold", "two-person-rule"]} with input as release
	strict.approvals_needed == 2
	strict.self_approval == false
}

without(lacking) := with_checks({name: check | some name in needed; name != lacking})

unscanned := without("artifact.scan")

test_signature_is_required if {
	only("fail", "evidence-missing", "artifact.signature") with input as without("artifact.signature")
}

test_origin_is_required if only("fail", "evidence-missing", "model.origin") with input as without("model.origin")

test_unsigned_model_fails if {
	only("fail", "not-established", "artifact.signature") with input as changed("artifact.signature", {"status": "incomplete", "message": "the model is not signed", "metrics": {"demanded": false}})
}

test_baseline_counts if only("fail", "evidence-missing", "artifact.scan") with input as unscanned

test_medium_finding_fails if {
	only("fail", "findings-refused", "data.hygiene") with input as changed("data.hygiene", {"counts": {"info": 0, "low": 0, "medium": 1, "high": 0, "critical": 0}})
}

test_ignored_medium_finding_holds if {
	only("hold", "ignored-review", "data.hygiene") with input as changed("data.hygiene", {"ignored": {"info": 0, "low": 0, "medium": 1, "high": 0, "critical": 0}})
}

test_low_finding_passes if {
	found == set() with input as changed("data.hygiene", {"counts": {"info": 0, "low": 1, "medium": 0, "high": 0, "critical": 0}})
}

test_evidence_of_last_week_fails if {
	only("fail", "evidence-not-recent", "supply.sbom") with input as changed("supply.sbom", {"age_seconds": 604801})
}

test_evidence_of_this_week_passes if {
	found == set() with input as changed("supply.sbom", {"age_seconds": 604800})
}

test_stale_evidence_is_named_once if {
	only("fail", "evidence-stale", "supply.sbom") with input as changed("supply.sbom", {"age_seconds": 2592001})
}

test_note_holds if {
	only("hold", "coverage-notes", "data.hygiene") with input as changed("data.hygiene", {"coverage": {"unit": "files", "examined": 3, "skipped_total": 0, "complete": true, "notes": ["row 3 was cut"]}})
}

test_accepted_note_passes if {
	found == set() with input as changed("data.hygiene", {"coverage": {"unit": "files", "examined": 3, "skipped_total": 0, "complete": true, "notes": ["first release: there is no baseline"]}})
}

declared := changed("data.poisoning", {"present": false, "applicable": false})

test_declaration_holds if only("hold", "declaration-review", "data.poisoning") with input as declared
