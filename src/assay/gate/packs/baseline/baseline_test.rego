package assay.baseline_test

import data.assay.baseline
import rego.v1

# --- a candidate that passes ---

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

release := {
	"version": 1, "now": {"rfc3339": "2026-01-01T00:00:00Z", "unix": 1767225600}, "model": "m",
	"candidate": {"digest": "cc", "subjects": {"model": "aa"}},
	"checks": {name: check | some name in data.settings.baseline.required},
	"registry": {"alias": "champion", "champion": {"version": "3", "digest": "dd", "subjects": {"model": "bb"}}, "rolled_back": null},
	"settings": {"max_age_seconds": 2592000, "user": {}},
}

# `release` with fields of one check changed.
changed(name, fields) := with_checks(object.union(release.checks, {name: object.union(check, fields)}))

with_checks(checks) := object.union(
	{key: value | some key, value in release; key != "checks"},
	{"checks": checks},
)

without(name) := with_checks({key: value | some key, value in release.checks; key != name})

found := {[r.decision, r.id, r.check] | some r in baseline.reasons}

only(decision, id, name) if found == {[decision, id, name]}

test_good_release_passes if found == set() with input as release

alone := changed("model.weights-diff", {"metrics": {"compared": false}, "baseline_matches": false})

first := object.union(
	{key: value | some key, value in alone; key != "registry"},
	{"registry": {"alias": "champion", "champion": null, "rolled_back": null}},
)

test_first_release_passes if found == set() with input as first

test_missing_evidence_fails if {
	only("fail", "evidence-missing", "artifact.scan") with input as without("artifact.scan")
}

test_failed_check_fails if {
	only("fail", "check-failed", "data.hygiene") with input as changed("data.hygiene", {"status": "fail"})
}

test_ignored_by_an_expired_entry_fails if {
	only("fail", "ignore-expired", "data.hygiene") with input as changed("data.hygiene", {"ignored_expired": 1})
}

test_ignored_high_finding_holds if {
	only("hold", "ignored-severe", "artifact.scan") with input as changed("artifact.scan", {"ignored": {"info": 0, "low": 0, "medium": 0, "high": 1, "critical": 0}})
}

test_ignored_medium_finding_passes if {
	found == set() with input as changed("artifact.scan", {"ignored": {"info": 0, "low": 0, "medium": 1, "high": 0, "critical": 0}})
}

taken_back := object.union(
	{key: value | some key, value in release; key != "registry"},
	{"registry": object.union(release.registry, {"rolled_back": {"at": "2026-01-01T00:00:00Z", "reason": "it leaks"}})},
)

test_rolled_back_candidate_holds if only("hold", "rolled-back", "") with input as taken_back

test_incomplete_check_fails if {
	only("fail", "check-incomplete", "data.hygiene") with input as changed("data.hygiene", {"status": "incomplete"})
}

unsigned(demanded) := {"status": "incomplete", "metrics": {"demanded": demanded}}

test_unsigned_model_passes_where_no_signature_is_demanded if {
	found == set() with input as changed("artifact.signature", unsigned(false))
}

test_unsigned_model_fails_where_a_signature_is_demanded if {
	only("fail", "check-incomplete", "artifact.signature") with input as changed("artifact.signature", unsigned(true))
}

test_only_a_voluntary_check_is_excused if {
	only("fail", "check-incomplete", "data.hygiene") with input as changed("data.hygiene", unsigned(false))
}

test_failed_signature_fails if {
	only("fail", "check-failed", "artifact.signature") with input as changed("artifact.signature", {"status": "fail", "metrics": {"demanded": false}})
}

test_error_fails if {
	only("fail", "check-error", "data.hygiene") with input as changed("data.hygiene", {"status": "error"})
}

test_pass_with_skipped_parts_fails if {
	only("fail", "check-incomplete", "supply.sbom") with input as changed("supply.sbom", {"coverage": {"unit": "files", "examined": 3, "skipped_total": 1, "complete": false, "notes": []}})
}

test_pass_on_nothing_fails if {
	only("fail", "check-incomplete", "supply.sbom") with input as changed("supply.sbom", {"coverage": {"unit": "files", "examined": 0, "skipped_total": 0, "complete": true, "notes": []}})
}

test_unsigned_fails if {
	only("fail", "evidence-unsigned", "supply.sbom") with input as changed("supply.sbom", {"signed": false})
}

test_signature_problem_fails if {
	only("fail", "evidence-unsigned", "supply.sbom") with input as changed("supply.sbom", {"signature_problem": "the key is revoked"})
}

test_stale_fails if {
	only("fail", "evidence-stale", "supply.sbom") with input as changed("supply.sbom", {"age_seconds": 2592001})
}

test_just_fresh_passes if {
	found == set() with input as changed("supply.sbom", {"age_seconds": 2592000})
}

test_evidence_from_the_future_fails if {
	only("fail", "evidence-future", "supply.sbom") with input as changed("supply.sbom", {"age_seconds": -301})
}

test_clock_skew_passes if {
	found == set() with input as changed("supply.sbom", {"age_seconds": -300})
}

test_other_bytes_fail if {
	only("fail", "subject-mismatch", "artifact.scan") with input as changed("artifact.scan", {"subject_matches": false})
}

test_not_compared_fails if {
	only("fail", "not-compared", "model.behavior-diff") with input as changed("model.behavior-diff", {"metrics": {"compared": false}})
}

test_silent_about_comparing_fails if {
	only("fail", "not-compared", "model.behavior-diff") with input as changed("model.behavior-diff", {"metrics": {"compared": "yes"}})
}

test_wrong_baseline_fails if {
	only("fail", "wrong-baseline", "model.weights-diff") with input as changed("model.weights-diff", {"baseline_matches": false})
}

# --- declarations ---

declared(name, expired) := changed(name, {
	"present": false, "status": "missing", "applicable": false,
	"not_applicable_reason": "there is no training data here", "not_applicable_expired": expired,
})

test_declaration_is_accepted if found == set() with input as declared("data.poisoning", false)

test_expired_declaration_fails if {
	only("fail", "declaration-expired", "data.poisoning") with input as declared("data.poisoning", true)
}

test_scan_cannot_be_declared_away if {
	only("fail", "declaration-refused", "artifact.scan") with input as declared("artifact.scan", false)
}

test_weights_diff_cannot_be_declared_away if {
	only("fail", "declaration-refused", "model.weights-diff") with input as declared("model.weights-diff", false)
}

test_settings_may_allow_it if {
	found == set() with input as declared("artifact.scan", false) with data.settings.baseline.never_waived as []
}

contradicted := changed("data.poisoning", {"status": "fail", "applicable": false})

test_declaration_cannot_hide_a_failure if {
	only("fail", "declaration-contradicted", "data.poisoning") with input as contradicted
}

test_declaration_cannot_hide_an_incomplete_check if {
	only("fail", "declaration-contradicted", "data.poisoning") with input as changed("data.poisoning", {"status": "incomplete", "applicable": false})
}

test_declaration_cannot_hide_an_error if {
	only("fail", "declaration-contradicted", "data.poisoning") with input as changed("data.poisoning", {"status": "error", "applicable": false})
}

test_declaration_beside_a_pass_is_accepted if {
	found == set() with input as changed("data.poisoning", {"applicable": false})
}

test_declaration_although_present_holds if {
	only("hold", "declared-although-present", "data.poisoning") with input as changed("data.poisoning", {"present": false, "status": "missing", "applicable": false, "role": "model"})
}

test_declaration_of_what_is_absent_is_accepted if {
	found == set() with input as changed("model.behavior-diff", {"present": false, "status": "missing", "applicable": false, "role": "endpoint"})
}

# --- options ---

test_other_options_fail if {
	only("fail", "options-changed", "artifact.scan") with input as changed("artifact.scan", {"options_match": false})
}

test_options_of_a_waived_check_do_not_matter if {
	found == set() with input as changed("data.poisoning", {"options_match": false, "options": {"q": 0.5}, "applicable": false})
}

test_weakening_option_holds if {
	only("hold", "options-review", "artifact.scan") with input as changed("artifact.scan", {"options": {"fail_on": "critical"}})
}

test_option_that_is_false_or_empty_holds if {
	only("hold", "options-review", "artifact.scan") with input as changed("artifact.scan", {"options": {"fail_on": false, "allow": {}}})
	count(baseline.reasons) == 2 with input as changed("artifact.scan", {"options": {"fail_on": false, "allow": {}}})
}

test_every_allowed_global_is_named if {
	count(baseline.reasons) == 2 with input as changed("artifact.scan", {"options": {"allow": {"a.b": "ours", "c.d": "too"}}})
}

test_harmless_option_passes if {
	found == set() with input as changed("supply.sbom", {"options": {"verify_files": false}})
}

# --- what a person must look at ---

test_medium_finding_holds if {
	only("hold", "medium-findings", "data.hygiene") with input as changed("data.hygiene", {"counts": {"info": 0, "low": 0, "medium": 2, "high": 0, "critical": 0}})
}

test_low_finding_passes if {
	found == set() with input as changed("data.hygiene", {"counts": {"info": 0, "low": 2, "medium": 0, "high": 0, "critical": 0}})
}

test_severe_finding_that_passed_holds if {
	only("hold", "severe-findings", "data.hygiene") with input as changed("data.hygiene", {"counts": {"info": 0, "low": 0, "medium": 0, "high": 0, "critical": 1}})
}

test_large_weight_change_holds if {
	only("hold", "review-metric", "model.weights-diff") with input as changed("model.weights-diff", {"metrics": {"compared": true, "relative_l2": 0.51}})
}

test_weight_change_that_is_no_number_holds if {
	only("hold", "review-metric", "model.weights-diff") with input as changed("model.weights-diff", {"metrics": {"compared": true, "relative_l2": "nan"}})
}

test_doubtful_drop_holds if {
	only("hold", "review-finding", "model.behavior-diff") with input as changed("model.behavior-diff", {"findings": doubt("behavior/accuracy-drop")})
}

test_other_low_finding_passes if {
	found == set() with input as changed("model.behavior-diff", {"findings": doubt("behavior/other")})
}

doubt(rule) := [{"rule": rule, "severity": "low", "message": "accuracy fell, maybe", "location": ""}]

third_party := changed("third.party", {"status": "fail"})

test_every_check_that_ran_counts if only("fail", "check-failed", "third.party") with input as third_party
