package signing

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/hibiken/asynq"
	"pgregory.net/rapid"

	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

func TestMain(m *testing.M) { testkit.Main(m) }

const (
	oldKey = "an old key of thirty-two characters"
	newKey = "a new key of thirty-two characters!"
)

// A signature holds for its own message only: queue, type and content.
func TestSignatureIsBoundToItsMessage(t *testing.T) {
	k := New([]string{oldKey})
	sig := k.Sign("default", "baler:batch", []byte(`{"batch":1}`))
	testkit.Must(t, k.Verify("default", "baler:batch", []byte(`{"batch":1}`), sig))
	for name, m := range map[string][3]string{
		"queue":             {"other", "baler:batch", `{"batch":1}`},
		"type":              {"default", "baler:file", `{"batch":1}`},
		"content":           {"default", "baler:batch", `{"batch":2}`},
		"moved parts":       {"defaultb", "aler:batch", `{"batch":1}`},
		"moved parts again": {"default", `baler:batch{`, `"batch":1}`},
	} {
		if err := k.Verify(m[0], m[1], []byte(m[2]), sig); !errors.Is(err, ErrWrong) {
			t.Errorf("another %s: %v", name, err)
		}
	}
}

// No other message has the same signature, and no change of a signature leaves it valid.
func TestNoOtherSignatureFits(t *testing.T) {
	k := New([]string{oldKey})
	rapid.Check(t, func(t *rapid.T) {
		m := func(label string) [3]string {
			return [3]string{rapid.String().Draw(t, label+" queue"), rapid.String().Draw(t, label+" type"), rapid.String().Draw(t, label+" content")}
		}
		a, b := m("a"), m("b")
		sig := k.Sign(a[0], a[1], []byte(a[2]))
		if err := k.Verify(a[0], a[1], []byte(a[2]), sig); err != nil {
			t.Fatalf("its own: %v", err)
		}
		if a != b && k.Verify(b[0], b[1], []byte(b[2]), sig) == nil {
			t.Fatalf("the signature of %q fits %q", a, b)
		}
		at, c := rapid.IntRange(0, len(sig)-1).Draw(t, "at"), rapid.Byte().Draw(t, "byte")
		changed := sig[:at] + string(rune(c)) + sig[at+1:]
		if changed != sig && k.Verify(a[0], a[1], []byte(a[2]), changed) == nil {
			t.Fatalf("%q is accepted in place of %q", changed, sig)
		}
	})
}

func TestRotation(t *testing.T) {
	before, during, after := New([]string{oldKey}), New([]string{newKey, oldKey}), New([]string{newKey})
	verify := func(by, of *Keys) error { return by.Verify("q", "t", []byte("p"), of.Sign("q", "t", []byte("p"))) }
	for name, pair := range map[string][2]*Keys{"old by both": {during, before}, "new by both": {during, during}, "new by new": {after, during}} {
		if err := verify(pair[0], pair[1]); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	err := verify(after, before)
	if !errors.Is(err, ErrUnknownKey) || !strings.Contains(err.Error(), before.IDs()[0]) || !strings.Contains(err.Error(), after.IDs()[0]) {
		t.Errorf("the retired key: %v", err)
	}
	for _, id := range during.IDs() {
		if len(id) != 8 {
			t.Errorf("the name %q", id)
		}
		for _, secret := range []string{oldKey, newKey} {
			if strings.Contains(secret, id) {
				t.Errorf("the name %q is a part of the key", id)
			}
		}
	}
}

func TestWithoutKeys(t *testing.T) {
	var none *Keys
	if sig := New(nil).Sign("q", "t", nil); sig != "" || none.Verify("q", "t", nil, "x") != nil || len(none.IDs()) > 0 {
		t.Errorf("signed %q", sig)
	}
	var c *Checker
	if !c.Accept(t.Context(), "q", asynq.NewTask("t", nil)) || c.RefuseTooLarge(t.Context(), "q", 1) || NewChecker(nil, nil, nil) != nil {
		t.Error("refused without keys")
	}
}

// Whoever floods the queue does not flood the log. Each message is counted.
func TestRefusedMessagesAreCountedAndReportedOnce(t *testing.T) {
	counts := make(map[string]int)
	var log bytes.Buffer
	c := NewChecker(New([]string{newKey}), func(reason string) { counts[reason]++ }, slog.New(slog.NewTextHandler(&log, nil)))
	payload := []byte("p")
	for range 50 {
		for _, sig := range []string{"", New([]string{oldKey}).Sign("q", "t", payload), New([]string{newKey}).Sign("q", "t", []byte("other")), "x", "."} {
			if c.Accept(t.Context(), "q", asynq.NewTaskWithHeaders("t", payload, map[string]string{Header: sig})) {
				t.Fatalf("accepted %q", sig)
			}
		}
	}
	c.RefuseTooLarge(t.Context(), "q", 3)
	if counts[ReasonUnsigned] != 50 || counts[ReasonUnknownKey] != 150 || counts[ReasonWrong] != 50 || counts[ReasonTooLarge] != 3 {
		t.Errorf("counted %v", counts)
	}
	if n := strings.Count(log.String(), "\n"); n != 1 {
		t.Errorf("%d lines in the log:\n%s", n, &log)
	}
	if strings.Contains(log.String(), newKey) || !strings.Contains(log.String(), "redis.signing_keys") {
		t.Errorf("the log: %s", &log)
	}
}

// A process that starts beside workers with other keys says so, once, whichever side has them,
// and shows no key.
func TestDifferencesAreSaid(t *testing.T) {
	oldIDs, newIDs := New([]string{oldKey}).IDs(), New([]string{newKey}).IDs()
	both := New([]string{newKey, oldKey})
	for name, c := range map[string]struct {
		here  *Keys
		there []tasks.Worker
		want  string
	}{
		"nobody has keys":     {nil, []tasks.Worker{{Name: "a"}}, ""},
		"alone":               {New([]string{oldKey}), nil, ""},
		"its own row":         {New([]string{oldKey}), []tasks.Worker{{Name: "own"}}, ""},
		"the same":            {New([]string{oldKey}), []tasks.Worker{{Name: "a", SigningKeys: oldIDs}}, ""},
		"during the exchange": {both, []tasks.Worker{{Name: "a", SigningKeys: oldIDs}, {Name: "b", SigningKeys: both.IDs()}}, "worker a refuses what is signed here"},
		"without keys": {nil, []tasks.Worker{{Name: "x"}, {Name: "a", SigningKeys: oldIDs}, {Name: "b", SigningKeys: oldIDs}},
			"worker a refuses the messages of processes like this one, which has no keys (it has " + oldIDs[0] + ")"},
		"with keys, beside one without": {New([]string{oldKey}), []tasks.Worker{{Name: "a"}},
			"worker a has no keys, and this process has " + oldIDs[0] + ": it accepts any message, and its own are refused"},
		"another key": {New([]string{oldKey}), []tasks.Worker{{Name: "a", SigningKeys: newIDs}}, "worker a refuses what is signed here with key " + oldIDs[0]},
	} {
		var log bytes.Buffer
		c.here.WarnOfDifferences(t.Context(), slog.New(slog.NewTextHandler(&log, nil)), "own", c.there)
		if c.want == "" && log.Len() > 0 || c.want != "" && (strings.Count(log.String(), "level=WARN") != 1 || !strings.Contains(log.String(), c.want) ||
			!strings.Contains(log.String(), Hint)) {
			t.Errorf("%s: %s", name, &log)
		}
		if strings.Contains(log.String(), oldKey) || strings.Contains(log.String(), newKey) {
			t.Errorf("%s: the log shows a key: %s", name, &log)
		}
	}
}

func FuzzVerify(f *testing.F) {
	k := New([]string{oldKey, newKey})
	f.Add("q", "t", []byte("p"), k.Sign("q", "t", []byte("p")))
	f.Add("q", "t", []byte("p"), k.IDs()[1]+".AAAA")
	f.Fuzz(func(t *testing.T, queue, kind string, payload []byte, sig string) {
		if k.Verify(queue, kind, payload, sig) == nil && k.Sign(queue, kind, payload) != sig &&
			New([]string{newKey}).Sign(queue, kind, payload) != sig {
			t.Errorf("%q is accepted", sig)
		}
	})
}

func BenchmarkSign(b *testing.B) {
	k := New([]string{oldKey})
	payload := []byte(`{"v":1,"transfer":12,"step":1,"file":123456,"bytes":1048576}`)
	b.ReportAllocs()
	for b.Loop() {
		k.Sign("default", "baler:file", payload)
	}
}

func BenchmarkVerify(b *testing.B) {
	k := New([]string{oldKey, newKey})
	payload := []byte(`{"v":1,"transfer":12,"step":1,"file":123456,"bytes":1048576}`)
	sig := k.Sign("default", "baler:file", payload)
	b.ReportAllocs()
	for b.Loop() {
		if k.Verify("default", "baler:file", payload, sig) != nil {
			b.Fatal("refused")
		}
	}
}
