package testkit

// Must ends the test when there is an error. It is for steps that prepare a test
// or that cannot fail for any reason the test is about. A *rapid.T fits as well.
func Must(t interface {
	Helper()
	Fatal(args ...any)
}, err error,
) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
