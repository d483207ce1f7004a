package accounts_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/balerhq/baler/internal/accounts"
	"github.com/balerhq/baler/internal/testkit"
)

func TestRoles(t *testing.T) {
	t.Parallel()
	all := append([]accounts.Role{accounts.Nobody}, accounts.Roles()...)
	for i, has := range all {
		for j, needs := range all {
			if has.Allows(needs) != (i >= j) {
				t.Errorf("%q may do what needs %q: %v", has, needs, has.Allows(needs))
			}
		}
	}
	if accounts.Role("admin").Allows(accounts.Viewer) {
		t.Error("an unknown role may read")
	}
	if _, err := accounts.ParseRole("root"); err == nil {
		t.Error("root is a role")
	}
}

func TestPasswordHashes(t *testing.T) {
	t.Parallel()
	h := accounts.NewHasher()
	const password = "correct horse battery"
	hash, err := h.Hash(t.Context(), password)
	testkit.Must(t, err)
	again, err := h.Hash(t.Context(), password)
	testkit.Must(t, err)
	if hash == again || !strings.HasPrefix(hash, "$argon2id$v=19$m=19456,t=2,p=1$") || strings.Contains(hash, password) {
		t.Errorf("%s and %s", hash, again)
	}
	// As another program hashes the password "password" with other costs (RFC 9106's, of the reference implementation).
	const older = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
	for _, c := range []struct {
		password, hash string
		ok, outdated   bool
	}{
		{password, hash, true, false},
		{password + "x", hash, false, false},
		{password[:20], hash, false, false},
		{"", hash, false, false},
		{password, "", false, false},
		{strings.Repeat("x", 1<<20), hash, false, false},
		{"password", older, true, true},
	} {
		ok, outdated, err := h.Verify(t.Context(), c.password, c.hash)
		if err != nil || ok != c.ok || outdated != c.outdated {
			t.Errorf("%.30q with %s: %v, outdated %v, %v", c.password, c.hash, ok, outdated, err)
		}
	}
	for _, bad := range []string{
		"x", "$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc", hash + "$", strings.Replace(hash, "m=19456", "m=99999999", 1),
		strings.Replace(hash, "t=2", "t=0", 1), strings.Replace(hash, "v=19", "v=16", 1), strings.Replace(hash, "p=1", "p=255", 1),
	} {
		if _, _, err := h.Verify(t.Context(), password, bad); err == nil || strings.Contains(err.Error(), "$") {
			t.Errorf("%s: %v", bad, err)
		}
	}
	for _, bad := range []string{"", "2short", strings.Repeat("x", 257)} {
		if _, err := h.Hash(t.Context(), bad); err == nil || bad != "" && strings.Contains(err.Error(), bad) {
			t.Errorf("%.20q: %v", bad, err)
		}
	}
}

// However many log in at once, few hashes are made at a time, and few wait.
func TestLoginsDoNotEatTheMemory(t *testing.T) {
	t.Parallel()
	h := accounts.NewHasher()
	var busy, served atomic.Int64
	var all sync.WaitGroup
	for range 200 {
		all.Go(func() {
			_, _, err := h.Verify(t.Context(), "whatever it is", "")
			if errors.Is(err, accounts.ErrBusy) {
				busy.Add(1)
			} else if err == nil {
				served.Add(1)
			}
		})
	}
	all.Wait()
	if busy.Load() == 0 || served.Load() == 0 || busy.Load()+served.Load() != 200 {
		t.Errorf("%d are refused, %d are answered", busy.Load(), served.Load())
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := h.Hash(ctx, "correct horse battery"); err != nil && !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	for name, ok := range map[string]bool{
		"ada": true, "a.b_c-d@e.org": true, "7": true, "": false, "Ada": false, "a b": false, "a\n": false, "\u0430da": false, "a/b": false,
		strings.Repeat("a", 64): true, strings.Repeat("a", 65): false,
	} {
		if err := accounts.CheckName(name); (err == nil) != ok {
			t.Errorf("%q: %v", name, err)
		}
	}
}
