package audit

import "regexp"

var identifier = regexp.MustCompile(`\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b`)

// TransferOf returns the id of the transfer that a target names; empty when it names none.
func TransferOf(target string) string { return identifier.FindString(target) }
