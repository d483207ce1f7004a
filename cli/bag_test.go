package cli

import (
	"encoding/json"
	"os"
	"testing"
)

func TestBagVerify(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	s.file("in/a.txt", "alpha")
	s.file("in/sub/b.txt", "beta")
	recipe := s.file("bag.yaml", "name: bagged\nsteps: [{handler: checksum}]\nfinally: [{handler: bag, with: {to: "+s.path("out/bag")+"}}]\n")
	s.must(exitOK, "run", "--recipe", recipe, s.path("in"))
	r := s.must(exitOK, "bag", "verify", s.path("out/bag"))
	equal(t, "a bag of our own", r.stdout, s.path("out/bag")+" is valid: BagIt 1.0, 2 files, 9 B.\n")

	if err := os.Remove(s.path("out/bag/bag-info.txt")); err != nil {
		t.Fatal(err)
	}
	var o bagReport
	r = s.must(exitFailures, "bag", "verify", "--json", s.path("out/bag"))
	if err := json.Unmarshal([]byte(r.stdout), &o); err != nil || o.Valid || len(o.Errors) != 1 || o.Errors[0].Path != "bag-info.txt" {
		t.Errorf("%v: %+v", err, o)
	}
	contains(t, "text", s.must(exitFailures, "bag", "verify", s.path("out/bag")).stdout,
		"error: bag-info.txt: is missing, but a manifest lists it\n", " is not valid: 1 error.\n")
	contains(t, "no bag", s.must(exitFailures, "bag", "verify", s.path("in")).stdout, "bagit.txt: is missing: the folder is not a bag")
	s.must(exitError, "bag", "verify", s.path("gone"))
	s.must(exitUsage, "bag", "verify", "")
	s.must(exitUsage, "bag", "verify")
}
