package dsn_test

import (
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"

	"github.com/balerhq/baler/internal/dsn"
)

func TestOnlyUTF8MB4(t *testing.T) {
	t.Parallel()
	for query, ok := range map[string]bool{
		"": true, "?charset=utf8mb4": true, "?collation=utf8mb4_bin": true, "?tls=true": true,
		"?charset=gbk": false, "?charset=utf8mb4,gbk": false, "?charset=utf8mb4&charset=gbk": false, "?charset=": false,
		"?collation=gbk_chinese_ci": false, "?collation_connection=gbk_bin": false, "?collation=utf8mb4_bin,sql_mode=gbk": false,
		"?character_set_client=gbk": false, "?CHARACTER_SET_CLIENT=gbk": false, "?character_set_client=utf8mb4": true,
	} {
		_, err := dsn.Parse("mysql://user:password@host/name" + query)
		if (err == nil) != ok {
			t.Errorf("%q: %v", query, err)
		}
		if err != nil && (strings.Contains(err.Error(), "gbk") || strings.Contains(err.Error(), "password")) {
			t.Errorf("%q: the error repeats the address: %v", query, err)
		}
	}
}

// The driver reads back what DriverDSN writes.
func TestDriverDSN(t *testing.T) {
	t.Parallel()
	for s, addr := range map[string]string{
		"mysql://u:p@h/na%25me?timeout=3s": "h:3306", "mysql://[::1]/na%25me?timeout=3s": "[::1]:3306", "mysql://h:7/na%25me?timeout=3s": "h:7",
	} {
		d, err := dsn.Parse(s)
		if err != nil {
			t.Fatalf("%s: %v", s, err)
		}
		c, err := mysql.ParseDSN(d.DriverDSN())
		if err != nil || c.Net != "tcp" || c.Addr != addr || c.DBName != "na%me" || c.User != "" || c.Timeout.String() != "3s" {
			t.Errorf("%s: %+v, %v", s, c, err)
		}
	}
}
