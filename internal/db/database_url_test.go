package db

import (
	"context"
	"errors"
	"net/url"
	"testing"

	"github.com/balerhq/baler/internal/testkit"
)

func TestOnlyUTF8MB4(t *testing.T) {
	t.Parallel()
	for query, ok := range map[string]bool{
		"": true, "?charset=utf8mb4": true, "?collation=utf8mb4_bin": true,
		"?charset=gbk": false, "?charset=utf8mb4,gbk": false, "?collation=gbk_chinese_ci": false, "?charset=": false,
	} {
		if _, err := parseURL("mysql://user:password@host/name" + query); (err == nil) != ok || !ok && !errors.Is(err, ErrURL) {
			t.Errorf("%q: %v", query, err)
		}
	}
}

func TestSocket(t *testing.T) {
	t.Parallel()
	u, err := url.Parse(testkit.MySQL(t))
	testkit.Must(t, err)
	var socket string
	testkit.Must(t, testkit.Database(t, u.String()).QueryRowContext(t.Context(), "SELECT @@socket").Scan(&socket))
	u.Host, u.RawQuery = "", url.Values{"socket": {socket}}.Encode()
	d, err := Open(t.Context(), u.String(), Options{})
	testkit.Must(t, err)
	testkit.CloseAtEnd(t, d)
	if want := "mysql:///" + u.Path[1:] + "?socket=" + socket; d.Describe() != want {
		t.Errorf("described as %s, want %s", d.Describe(), want)
	}
}

// A name may have any character; a % of it is decoded once.
func TestNameOfDatabase(t *testing.T) {
	t.Parallel()
	u, err := url.Parse(testkit.MySQL(t))
	testkit.Must(t, err)
	admin := testkit.Database(t, u.String())
	name := u.Path[1:] + "%41 é"
	_, err = admin.ExecContext(t.Context(), "CREATE DATABASE "+MySQL.Quote(name))
	testkit.Must(t, err)
	t.Cleanup(func() {
		_, err := admin.ExecContext(context.WithoutCancel(t.Context()), "DROP DATABASE "+MySQL.Quote(name))
		testkit.Must(t, err)
	})
	u.Path = "/" + name
	d, err := Open(t.Context(), u.String(), Options{})
	testkit.Must(t, err)
	testkit.CloseAtEnd(t, d)
	var in string
	testkit.Must(t, d.Session(t.Context()).Raw("SELECT DATABASE()").Scan(&in).Error)
	if in != name {
		t.Errorf("connected to %q, want %q", in, name)
	}
}
