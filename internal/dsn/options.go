package dsn

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// Options are the options that an address may have behind its question mark.
type Options struct {
	Known []string // by their names

	// Also reports whether another name is one. Nil: none is.
	Also func(name string) bool

	Help string // for the error, behind the names
}

// Parse reads the part of a URL behind the question mark. An option that is not
// understood is an error: its writer counts on what it says.
func (o Options) Parse(query string) (url.Values, error) {
	params, err := url.ParseQuery(query)
	if err != nil {
		return nil, errors.New("the part after ? must be name=value pairs joined by &")
	}
	for name := range params {
		if slices.Contains(o.Known, name) || o.Also != nil && o.Also(name) {
			continue
		}
		what := "an option is not understood"
		if isName(name) && strings.Contains(query, name+"=") && !strings.Contains(query, "@") { // else it may be a password, or a part of one
			what = fmt.Sprintf("the option %q is not understood", name)
		}
		if len(o.Known) == 0 {
			return nil, fmt.Errorf("%s; this kind of address has none%s", what, o.Help)
		}
		return nil, fmt.Errorf("%s; the options are %s%s", what, strings.Join(o.Known, ", "), o.Help)
	}
	return params, nil
}

func isName(s string) bool {
	return s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == ""
}

// mysqlOptions are those of the MySQL driver that Baler does not set itself, the
// socket, and the server's session variables, which the server checks.
func mysqlOptions() Options {
	return Options{
		Known: []string{
			"allowCleartextPasswords", "allowNativePasswords", "charset", "collation", "compress", "connectionAttributes",
			"readTimeout", "socket", "timeout", "tls", "writeTimeout",
		},
		Also: func(name string) bool {
			return strings.Contains(name, "_") && isName(name) && !slices.Contains(ownVariables(), strings.ToLower(name))
		},
		Help: ", and session variables such as innodb_lock_wait_timeout, but none that Baler sets itself, such as sql_mode and time_zone",
	}
}

// ownVariables are the session variables that every connection sets.
func ownVariables() []string {
	return []string{
		"check_constraint_checks", "completion_type", "default_storage_engine", "foreign_key_checks", "max_execution_time",
		"max_join_size", "max_statement_time", "sql_auto_is_null", "sql_big_selects", "sql_mode", "sql_safe_updates", "sql_select_limit",
		"storage_engine", "time_zone", "transaction_isolation", "tx_isolation", "unique_checks", "wait_timeout",
	}
}
