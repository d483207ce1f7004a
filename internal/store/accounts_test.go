package store

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/balerhq/baler/internal/accounts"
	"github.com/balerhq/baler/internal/audit"
	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/internal/testkit"
)

func TestUsersAndTheirSessions(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *env) {
		ctx := t.Context()
		ada := accounts.User{Name: "ada", Role: accounts.Operator, PasswordHash: "hash"}
		some, err := b.AnyAccounts(ctx)
		if err != nil || some {
			t.Errorf("accounts in an empty database: %v, %v", some, err)
		}
		testkit.Must(t, b.AddUser(ctx, ada))
		wantErr(t, b.AddUser(ctx, ada), accounts.ErrTaken)
		if some, err = b.AnyAccounts(ctx); err != nil || !some {
			t.Errorf("accounts with a user: %v, %v", some, err)
		}
		_, err = b.User(ctx, "Ada")
		wantErr(t, err, accounts.ErrNoUser)
		begin := func(secret string) {
			t.Helper()
			s := accounts.Session{Hash: accounts.HashSecret(secret), User: "ada", Role: accounts.Operator, ExpiresAt: b.clock.Now().Add(time.Hour)}
			testkit.Must(t, b.BeginLogin(ctx, s, "hash", ""))
		}
		begin("one")
		begin("two")
		testkit.Must(t, b.EndSession(ctx, accounts.HashSecret("one")))
		_, err = b.Session(ctx, accounts.HashSecret("one"))
		wantErr(t, err, accounts.ErrNoSession)
		testkit.Must(t, b.SetRole(ctx, "ada", accounts.Viewer))
		if s, err := b.Session(ctx, accounts.HashSecret("two")); err != nil || s.Role != accounts.Viewer || s.User != "ada" {
			t.Errorf("the session is %+v, %v", s, err)
		}
		testkit.Must(t, b.SetPassword(ctx, "ada", "other"))
		_, err = b.Session(ctx, accounts.HashSecret("two"))
		wantErr(t, err, accounts.ErrNoSession)
		late := accounts.Session{Hash: accounts.HashSecret("late"), User: "ada", ExpiresAt: b.clock.Now().Add(time.Hour)}
		wantErr(t, b.BeginLogin(ctx, late, "hash", ""), accounts.ErrDenied) // checked against the old password
		testkit.Must(t, b.BeginLogin(ctx, late, "other", "newer"))
		if u, err := b.User(ctx, "ada"); err != nil || u.PasswordHash != "newer" || !u.LoginAt.Equal(b.clock.Now()) {
			t.Errorf("after the login: %+v, %v", u, err)
		}
		testkit.Must(t, b.RemoveUser(ctx, "ada"))
		_, err = b.Session(ctx, accounts.HashSecret("late"))
		wantErr(t, err, accounts.ErrNoSession)
		wantErr(t, b.RemoveUser(ctx, "ada"), accounts.ErrNoUser)
		wantErr(t, b.SetRole(ctx, "ada", accounts.Viewer), accounts.ErrNoUser)
		wantErr(t, b.SetPassword(ctx, "ada", "x"), accounts.ErrNoUser)

		elsewhere := accounts.Session{
			Hash: accounts.HashSecret("x"), User: "openid ada", External: true, Role: accounts.Submitter, ExpiresAt: b.clock.Now().Add(time.Hour),
		}
		testkit.Must(t, b.AddSession(ctx, elsewhere))
		if s, err := b.Session(ctx, elsewhere.Hash); err != nil || s.Role != accounts.Submitter {
			t.Errorf("of somebody known elsewhere: %+v, %v", s, err)
		}
		b.clock.Advance(2 * time.Hour)
		elsewhere.Hash, elsewhere.ExpiresAt = accounts.HashSecret("y"), b.clock.Now().Add(time.Hour)
		testkit.Must(t, b.AddSession(ctx, elsewhere))
		if n := b.count(t, "sessions", "1 = 1"); n != 1 {
			t.Errorf("%d sessions are kept, want the one that has not expired", n)
		}
	})
}

func TestAPITokens(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *env) {
		ctx := t.Context()
		secret, hash := accounts.NewToken()
		token := accounts.Token{Name: "nightly", Role: accounts.Submitter, Hash: hash, ExpiresAt: b.clock.Now().Add(time.Hour)}
		testkit.Must(t, b.AddToken(ctx, token))
		wantErr(t, b.AddToken(ctx, token), accounts.ErrTaken)
		testkit.Must(t, b.NoteTokenUse(ctx, hash))
		got, err := b.Token(ctx, accounts.HashSecret(secret))
		if err != nil || got.Name != "nightly" || got.Role != accounts.Submitter || !got.ExpiresAt.Equal(token.ExpiresAt) ||
			!got.UsedAt.Equal(b.clock.Now()) || !bytes.Equal(got.Hash, hash) {
			t.Errorf("%+v, %v", got, err)
		}
		for table, where := range map[string]string{"api_tokens": "hash = ? OR name = ?", "audit_log": "target = ? OR who = ?"} {
			if n := b.count(t, table, where, secret, secret); n != 0 {
				t.Errorf("%s has the secret", table)
			}
		}
		b.clock.Advance(2 * time.Hour)
		if some, err := b.AnyAccounts(ctx); err != nil || some {
			t.Errorf("an expired token counts: %v, %v", some, err)
		}
		testkit.Must(t, b.RevokeToken(ctx, "nightly"))
		wantErr(t, b.RevokeToken(ctx, "nightly"), accounts.ErrNoToken)
		_, err = b.Token(ctx, hash)
		wantErr(t, err, accounts.ErrNoToken)
	})
}

func TestAuditLog(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *env) {
		ctx := t.Context()
		long := strings.Repeat("\u00e9\xff", 3000) // as a path may be
		first, err := b.AddAudit(ctx, audit.Entry{Who: long, From: long, Action: long, Target: long, Result: audit.Begun, Detail: long})
		testkit.Must(t, err)
		b.clock.Advance(time.Hour)
		second, err := b.AddAudit(ctx, audit.Entry{Who: "ada", From: "192.0.2.1", Action: "submit", Target: "/v1/transfers", Result: audit.Begun})
		testkit.Must(t, err)
		testkit.Must(t, b.FinishAudit(ctx, second, audit.Done, "/v1/transfers/1", ""))
		lines, err := b.AuditLog(ctx, 0, 10)
		testkit.Must(t, err)
		if len(lines) != 2 || !lines[0].At.Equal(b.clock.Now()) {
			t.Fatalf("%+v", lines)
		}
		want := audit.Entry{
			ID: second, At: lines[0].At, Who: "ada", From: "192.0.2.1", Action: "submit", Target: "/v1/transfers/1", Result: audit.Done,
		}
		if lines[0] != want || lines[1].ID != first || lines[1].Result != audit.Begun {
			t.Errorf("%+v, %v", lines, err)
		}
		if lines, err = b.AuditLog(ctx, second, 10); err != nil || len(lines) != 1 || lines[0].ID != first {
			t.Errorf("the page behind it: %+v, %v", lines, err)
		}
		const transfer = "0199c2f5-7b1e-7c3a-9f00-0123456789ab"
		third, err := b.AddAudit(ctx, audit.Entry{Who: "ada", Action: "pause", Target: "/transfers/" + transfer + "/pause", Result: audit.Begun})
		testkit.Must(t, err)
		if lines, err = b.AuditOf(ctx, transfer, audit.Done, []string{"pause", "resume"}, 10); err != nil || len(lines) != 0 {
			t.Errorf("what has not ended: %+v, %v", lines, err)
		}
		testkit.Must(t, b.FinishAudit(ctx, third, audit.Done, "", ""))
		testkit.Must(t, b.FinishAudit(ctx, first, audit.Done, "latest ("+transfer+")", ""))
		if lines, err = b.AuditOf(ctx, transfer, audit.Done, []string{"pause", "resume"}, 10); err != nil || len(lines) != 1 || lines[0].ID != third {
			t.Errorf("of the transfer: %+v, %v", lines, err)
		}
		if lines, err = b.AuditOf(ctx, transfer, audit.Done, []string{"pause", db.ClipText(long, 255)}, 10); err != nil || len(lines) != 2 {
			t.Errorf("also what names it in the end: %+v, %v", lines, err)
		}
		if n, err := b.PruneAudit(ctx, b.clock.Now()); err != nil || n != 1 {
			t.Errorf("%d lines are deleted, %v", n, err)
		}
		if lines, err = b.AuditLog(ctx, 0, 10); err != nil || len(lines) != 2 || lines[1].ID != second {
			t.Errorf("after that: %+v, %v", lines, err)
		}
	})
}
