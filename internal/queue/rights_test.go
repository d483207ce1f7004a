package queue

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/internal/testkit"
)

// The account of deploy/redis.acl has all rights that Baler needs. When a rule is removed,
// MissingRights names it.
func TestMissingRights(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../deploy/redis.acl")
	testkit.Must(t, err)
	file := filepath.Join(t.TempDir(), "users.acl")
	rules := strings.ReplaceAll(string(text), "CHANGE-ME", "hush") + "user admin on >hush ~* &* +@all\n"
	testkit.Must(t, os.WriteFile(file, []byte(rules), 0o600))
	server := testkit.NewRedisServer(t, testkit.RedisOptions{Args: []string{"--aclfile", file}})
	admin := testkit.RedisClient(t, server.URL(), func(o *redis.Options) { o.Username, o.Password = "admin", "hush" })
	q, err := open(t.Context(), config.RedisSettings{URL: server.URL(), Username: "baler", Password: "hush"})
	testkit.Must(t, err)
	testkit.CloseAtEnd(t, q)
	missing := func() []string {
		t.Helper()
		rules, err := q.MissingRights(t.Context())
		testkit.Must(t, err)
		return rules
	}
	if got := missing(); len(got) > 0 {
		t.Fatalf("deploy/redis.acl lacks %v", got)
	}
	set := func(rules ...any) {
		t.Helper()
		testkit.Must(t, admin.Do(t.Context(), append([]any{"ACL", "SETUSER", "baler"}, rules...)...).Err())
	}
	tried := 0
	for rule := range strings.FieldsSeq(string(text)) {
		var without []any
		switch {
		case strings.HasPrefix(rule, "+cluster|"), rule == "+command":
			continue // without a cluster nothing needs it; TestLeastRightsInACluster tries it with one
		case strings.HasPrefix(rule, "+"):
			without = []any{"-" + rule[1:]}
		case rule == "~asynq:*":
			without = []any{"resetkeys", "~baler:*"}
		case rule == "~baler:*":
			without = []any{"resetkeys", "~asynq:*"}
		case rule == "&asynq:cancel":
			without = []any{"resetchannels", "&baler:*"}
		case rule == "&baler:*":
			without = []any{"resetchannels", "&asynq:cancel"}
		default:
			continue
		}
		tried++
		set(without...)
		if got := missing(); !slices.Equal(got, []string{rule}) {
			t.Errorf("without %s, missing are %v", rule, got)
		}
		set(rule)
	}
	if tried < 40 {
		t.Errorf("only %d rules were tried", tried)
	}

	set("-get")
	err = q.Client.Get(t.Context(), trialKey).Err()
	if err == nil || !strings.Contains(err.Error(), "run 'redis-cli ACL SETUSER baler +get'") || !redis.HasErrorPrefix(err, "NOPERM") {
		t.Errorf("a refused command: %v", err)
	}
	set("+get", "-zadd")
	err = q.Client.Eval(t.Context(), `return redis.call("ZADD", KEYS[1], 1, "a")`, []string{trialKey}).Err()
	if err == nil || !strings.Contains(err.Error(), "'baler doctor' lists the rights that the account lacks") {
		t.Errorf("a refused command of a script: %v", err)
	}
	server.Kill()
	if rules, err := q.MissingRights(t.Context()); err == nil {
		t.Errorf("a Redis that is unavailable lacks %v", rules)
	}
}
