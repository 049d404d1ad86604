# What every release needs. Reasons and remedies are described in docs/policy.md.
package assay.baseline

import rego.v1

evaluated := true

settings := data.settings.baseline

required := {name | some name in settings.required}

never_waived := {name | some name in settings.never_waived}

review_rules := {rule | some rule in settings.review_rules}

comparisons := {name | some name in settings.comparisons}

voluntary := {name | some name in settings.voluntary}

present contains name if {
	some name, check in input.checks
	check.present == true
}

# A declaration counts while it has not expired, and never for a check that cannot be waived.
waived contains name if {
	some name, check in input.checks
	check.applicable == false
	check.not_applicable_expired == false
	not name in never_waived
}

judged := present - waived

# What a voluntary check could not establish, and nobody asked it to: a model without a signature, say.
excused contains name if {
	some name in judged & voluntary
	check := input.checks[name]
	check.status == "incomplete"
	check.metrics.demanded == false
}

reasons contains fail("evidence-missing", name, message, remedy) if {
	some name in (required - present) - waived
	not refused_declaration(name)
	message := sprintf("%s has not run on this candidate", [name])
	remedy := "Run `assay run`. A check that does not apply here can be declared so under not_applicable."
}

reasons contains fail("declaration-refused", name, message, remedy) if {
	some name in never_waived
	input.checks[name].applicable == false
	message := sprintf("%s cannot be declared not applicable", [name])
	remedy := "Remove the declaration from assay.yaml and run `assay run`."
}

reasons contains fail("declaration-expired", name, message, remedy) if {
	some name, check in input.checks
	check.applicable == false
	check.not_applicable_expired == true
	not name in never_waived
	message := sprintf("the declaration that %s does not apply has expired", [name])
	remedy := "Run the check, or renew the declaration's `expires` in assay.yaml."
}

# A declaration says that a check has nothing to look at; evidence of anything but a pass says otherwise.
reasons contains fail("declaration-contradicted", name, message, remedy) if {
	some name in contradicted
	status := input.checks[name].status
	message := sprintf("%s is declared not applicable, yet it ran on this candidate: %s", [name, status])
	remedy := "Remove the declaration from assay.yaml and correct what the check found."
}

contradicted contains name if {
	some name in waived & present
	input.checks[name].status != "pass"
}

reasons contains hold("declared-although-present", name, message, remedy) if {
	some name in waived - contradicted
	role := input.checks[name].role
	input.candidate.subjects[role]
	message := sprintf("%s is declared not applicable, yet this candidate has what it looks at: %s", [name, role])
	remedy := "Remove the declaration from assay.yaml and run the check, or approve if its reason holds."
}

reasons contains fail("check-failed", name, message, remedy) if {
	some name in judged
	check := input.checks[name]
	check.status == "fail"
	message := sprintf("%s failed: %s", [name, check.summary])
	remedy := sprintf("Correct it and run `assay run` again; `assay check %s` shows every finding.", [name])
}

reasons contains fail("check-incomplete", name, message, remedy) if {
	some name in judged - excused
	check := input.checks[name]
	check.status == "incomplete"
	message := sprintf("%s is incomplete: %s", [name, why(check)])
	remedy := "Let it examine everything, then run `assay run` again: what was not looked at does not pass."
}

reasons contains fail("check-error", name, message, remedy) if {
	some name in judged
	check := input.checks[name]
	not check.status in {"pass", "fail", "incomplete"}
	message := sprintf("%s could not do its work: %s", [name, why(check)])
	remedy := "Remove the cause and run `assay run` again."
}

# Belt and braces: a report that says `pass` and skipped something contradicts itself.
reasons contains fail("check-incomplete", name, message, remedy) if {
	some name in judged
	check := input.checks[name]
	check.status == "pass"
	not examined_all(check)
	message := sprintf("%s says pass but did not examine everything", [name])
	remedy := "Report this to the check's author; until then it cannot count as passed."
}

reasons contains fail("ignore-expired", name, message, remedy) if {
	some name in judged
	check := input.checks[name]
	not check.ignored_expired == 0
	message := sprintf("%s ignores %v findings by entries that have run out", [name, check.ignored_expired])
	remedy := "Correct the findings, or renew the entries of assay-ignore.yaml, and run `assay run` again."
}

# Whoever writes the ignore file is not the only one who should know of what is severe.
reasons contains hold("ignored-severe", name, message, remedy) if {
	some name in judged
	ignored := input.checks[name].ignored
	ignored.high + ignored.critical > 0
	message := sprintf("%s ignores %v critical and %v high findings", [name, ignored.critical, ignored.high])
	remedy := "Read why in the report, then `assay approve --reason …`, or correct them."
}

reasons contains hold("rolled-back", "", message, remedy) if {
	left := input.registry.rolled_back
	left != null
	message := sprintf("it was rolled back from on %s: %s", [left.at, left.reason])
	remedy := "Approve if that reason holds no longer."
}

reasons contains fail("evidence-unsigned", name, message, remedy) if {
	some name in judged
	check := input.checks[name]
	not trusted(check)
	message := sprintf("the evidence of %s is not signed by a trusted key%s", [name, problem(check)])
	remedy := "Run `assay run` with a trusted key, or add the signer's public key under signing.trusted."
}

reasons contains fail("evidence-stale", name, message, remedy) if {
	some name in judged
	check := input.checks[name]
	not fresh(check)
	days := floor(check.age_seconds / 86400)
	limit := floor(input.settings.max_age_seconds / 86400)
	message := sprintf("the evidence of %s is %v days old; %v are allowed", [name, days, limit])
	remedy := "Run `assay run` again."
}

reasons contains fail("evidence-future", name, message, remedy) if {
	some name in judged
	not input.checks[name].age_seconds >= -300
	message := sprintf("the evidence of %s claims to be from the future", [name])
	remedy := "Set the clocks of the machine that ran the check and of this one, then run `assay run` again."
}

reasons contains fail("subject-mismatch", name, message, remedy) if {
	some name in judged
	check := input.checks[name]
	not check.subject_matches == true
	message := sprintf("the evidence of %s is about other bytes than this candidate's", [name])
	remedy := "Run `assay run` on this candidate; a remote endpoint must be bound to the model it serves."
}

reasons contains fail("not-compared", name, message, remedy) if {
	some name in comparisons & judged
	champion_exists
	check := input.checks[name]
	not check.metrics.compared == true
	message := sprintf("%s did not compare with the champion, version %s", [name, input.registry.champion.version])
	remedy := "Make the champion's files or endpoint reachable and run `assay run` again."
}

reasons contains fail("wrong-baseline", name, message, remedy) if {
	some name in comparisons & judged
	champion_exists
	check := input.checks[name]
	check.metrics.compared == true
	not check.baseline_matches == true
	message := sprintf("%s compared with something other than the champion, version %s", [name, input.registry.champion.version])
	remedy := "The alias has moved since, or the baseline was named by hand: run `assay run` again."
}

reasons contains fail("options-changed", name, message, remedy) if {
	some name in judged
	not input.checks[name].options_match == true
	message := sprintf("%s ran with other options than assay.yaml sets now", [name])
	remedy := "Run `assay run` again."
}

# Options that can make a check say less. One reason for each entry: what is approved is what was set.
reasons contains hold("options-review", name, message, remedy) if {
	some [name, option, value] in reviewed
	not entries(value)
	message := sprintf("%s ran with %s: %v", [name, option, shown(value)])
	remedy := options_remedy
}

reasons contains hold("options-review", name, message, remedy) if {
	some [name, option, value] in reviewed
	entries(value)
	some key, item in value
	message := sprintf("%s ran with %s, %v: %v", [name, option, key, shown(item)])
	remedy := options_remedy
}

options_remedy := "Approve if the option is meant, or remove it from assay.yaml and run `assay run` again."

reviewed contains [name, option, value] if {
	some name, options in settings.review_options
	name in judged
	some option in options
	some given, value in input.checks[name].options
	given == option
}

reasons contains hold("medium-findings", name, message, remedy) if {
	some name in judged
	check := input.checks[name]
	check.status == "pass"
	check.counts.medium > 0
	message := sprintf("%s passed with %s", [name, check.summary])
	remedy := "Look at the findings, then `assay approve --reason …`, or correct them."
}

# Passing yet severe: the check's own threshold was set above it.
reasons contains hold("severe-findings", name, message, remedy) if {
	some name in judged
	check := input.checks[name]
	check.status == "pass"
	check.counts.high + check.counts.critical > 0
	message := sprintf("%s passed by its options with %s", [name, check.summary])
	remedy := "Look at the findings, then `assay approve --reason …`, or correct them."
}

reasons contains hold("review-metric", item.check, message, remedy) if {
	some item in settings.review
	item.check in judged
	value := input.checks[item.check].metrics[item.metric]
	not within(value, item.above)
	message := sprintf("%s: %s (%s) is %v, above %v", [item.check, item.what, item.metric, value, item.above])
	remedy := "Look at the report, then `assay approve --reason …` if the change is meant."
}

# Findings below a check's failing line that a person should weigh all the same.
reasons contains hold("review-finding", name, message, remedy) if {
	some name in judged
	check := input.checks[name]
	check.status == "pass"
	some finding in check.findings
	finding.severity == "low"
	finding.rule in review_rules
	message := sprintf("%s: %s", [name, finding.message])
	remedy := "Look at the report, then `assay approve --reason …`, or correct it."
}

fail(id, check, message, remedy) := object.union({"decision": "fail"}, reason(id, check, message, remedy))

hold(id, check, message, remedy) := object.union({"decision": "hold"}, reason(id, check, message, remedy))

reason(id, check, message, remedy) := {"id": id, "check": check, "message": message, "remedy": remedy}

refused_declaration(name) if {
	name in never_waived
	input.checks[name].applicable == false
}

refused_declaration(name) if input.checks[name].not_applicable_expired == true

champion_exists if input.registry.champion != null

examined_all(check) if {
	check.coverage.complete == true
	check.coverage.examined > 0
}

trusted(check) if {
	check.signed == true
	check.signature_problem == ""
}

fresh(check) if check.age_seconds <= input.settings.max_age_seconds

# A figure that is text (NaN, infinity) is within nothing.
within(value, limit) if {
	is_number(value)
	value <= limit
}

# Whether a value has entries to be named one by one; an empty one is named as a whole.
entries(value) if {
	is_array(value)
	count(value) > 0
}

entries(value) if {
	is_object(value)
	count(value) > 0
}

shown(value) := value if is_string(value)

shown(value) := value if is_number(value)

shown(value) := value if is_boolean(value)

shown(value) := "none" if is_null(value)

shown(value) := "empty" if {
	is_array(value)
	count(value) == 0
}

shown(value) := "empty" if {
	is_object(value)
	count(value) == 0
}

shown(value) := "nested" if entries(value)

why(check) := check.message if check.message != ""

why(check) := "no reason given" if check.message == ""

problem(check) := sprintf(": %s", [check.signature_problem]) if check.signature_problem != ""

problem(check) := "" if check.signature_problem == ""
