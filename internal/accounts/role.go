package accounts

import (
	"fmt"
	"strings"
)

// Role says what somebody may do. Each role may do what those before it may.
type Role string

// The roles, from the least rights to the most. Nobody is the role of those who have
// not said who they are.
const (
	Nobody    Role = ""
	Viewer    Role = "viewer"    // reads
	Submitter Role = "submitter" // also submits transfers, and retries files
	Operator  Role = "operator"  // also steers transfers, workers, queues and schedules, and reads the audit log
)

// Roles lists the roles that an account may have.
func Roles() []Role { return []Role{Viewer, Submitter, Operator} }

// ParseRole reads the name of a role.
func ParseRole(s string) (Role, error) {
	for _, r := range Roles() {
		if s == string(r) {
			return r, nil
		}
	}
	return Nobody, fmt.Errorf("%q is not a role; give viewer, submitter or operator", strings.ToValidUTF8(s, "\uFFFD"))
}

// Allows reports whether somebody with role r may do what needs a role.
func (r Role) Allows(needed Role) bool { return r.rank() >= needed.rank() }

func (r Role) rank() int {
	for i, known := range Roles() {
		if r == known {
			return i + 1
		}
	}
	return 0 // a role of a newer version allows nothing
}
