// Package failpoint lets a test kill or stop a process between two lines of its code.
//
// The code marks such points with Point. In an ordinary build that is an empty
// function, which the compiler removes. With the build tag "failpoint" an
// environment variable selects an action at one of the points:
//
//	BALER_TEST_FAULT=kill@batch-closed:3          SIGKILL to itself at the third call
//	BALER_TEST_FAULT=stop@handler-halfway         SIGSTOP to itself at the first
//	BALER_TEST_FAULT=wait@set-taken:2:/tmp/here   create the file, and continue when it is removed
//
// Waiting blocks only the goroutine that called Point; meanwhile a test can kill a
// server that the process uses. Only the call with that number has an effect.
package failpoint
