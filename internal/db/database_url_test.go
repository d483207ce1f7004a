package db

import (
	"errors"
	"testing"
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
