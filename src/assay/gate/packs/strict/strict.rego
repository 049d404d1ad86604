# Baseline, and: two people for every release, a signed model, evidence of this week, nothing from medium upwards.
package assay.strict

import data.assay.baseline
import rego.v1

evaluated := true

settings := data.settings.strict

approvals_needed := 2

self_approval := false

# Here the medium findings that baseline holds on are refused.
superseded := {"medium-findings", "severe-findings"}

reasons contains r if {
	some r in baseline.reasons
	not r.id in superseded
}

reasons contains baseline.hold("two-person-rule", "", message, remedy) if {
	message := "every release needs two approvals, by people who did not sign its evidence"
	remedy := "Ask two people to run `assay approve --reason …`."
}

required := {name | some name in settings.required} - baseline.required

reasons contains baseline.fail("evidence-missing", name, message, remedy) if {
	some name in (required - baseline.present) - baseline.waived
	not baseline.refused_declaration(name)
	message := sprintf("%s has not run on this candidate", [name])
	remedy := "Run `assay run`."
}

# Baseline excuses what nobody demanded; here it is demanded of every release.
reasons contains baseline.fail("not-established", name, message, remedy) if {
	some name in baseline.excused
	message := sprintf("%s is incomplete: %s", [name, baseline.why(input.checks[name])])
	remedy := "Sign the model with `assay sign`, or name whose signature counts, then run `assay run` again."
}

reasons contains baseline.fail("findings-refused", name, message, remedy) if {
	some name in baseline.judged
	check := input.checks[name]
	check.status == "pass"
	check.counts.medium + check.counts.high + check.counts.critical > 0
	message := sprintf("%s has %s", [name, check.summary])
	remedy := "Correct every finding from medium upwards and run `assay run` again."
}

reasons contains baseline.fail("evidence-not-recent", name, message, remedy) if {
	some name in baseline.judged
	check := input.checks[name]
	baseline.fresh(check)
	check.age_seconds > settings.max_age_days * 86400
	message := sprintf("the evidence of %s is older than %v days", [name, settings.max_age_days])
	remedy := "Run `assay run` again."
}

reasons contains baseline.hold("ignored-review", name, message, remedy) if {
	some name in baseline.judged
	ignored := input.checks[name].ignored
	ignored.medium > 0
	ignored.high + ignored.critical == 0
	message := sprintf("%s ignores %v medium findings", [name, ignored.medium])
	remedy := "Read why in the report, then `assay approve --reason …`, or correct them."
}

reasons contains baseline.hold("declaration-review", name, message, remedy) if {
	some name in baseline.waived
	message := sprintf("%s is declared not applicable: %s", [name, input.checks[name].not_applicable_reason])
	remedy := "Approve if the reason holds, or run the check."
}

reasons contains baseline.hold("coverage-notes", name, message, remedy) if {
	some name in baseline.judged
	some note in input.checks[name].coverage.notes
	not accepted(note)
	message := sprintf("%s notes: %s", [name, note])
	remedy := "Approve if the notes are harmless here."
}

accepted(note) if {
	some prefix in settings.accepted_notes
	startswith(note, prefix)
}
