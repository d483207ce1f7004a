// Package failpoint lets a test stop a process between two lines of its code.
//
// The code names the moments that matter with Point. In an ordinary build that
// is an empty function, which the compiler leaves out. In one with the build
// tag "failpoint" the environment says what happens there:
//
//	BALER_TEST_FAULT=kill@batch-closed:3          SIGKILL to itself at the third passing
//	BALER_TEST_FAULT=stop@handler-halfway         SIGSTOP to itself at the first
//	BALER_TEST_FAULT=wait@set-taken:2:/tmp/here   make the file, and go on when it is gone
//
// Waiting holds the one goroutine that came by: meanwhile a test can kill what
// the process talks to. Only the passing with that number does anything.
package failpoint
