package config

import "github.com/balerhq/baler/internal/dsn"

// DatabaseURL is a database's address in parts.
type DatabaseURL = dsn.Database

// ParseDatabase reads "sqlite:PATH" or "mysql://user:password@host:3306/name?…".
// It rejects character sets and collations other than those of utf8mb4. Its
// errors never repeat the text, which may hold a password.
func ParseDatabase(s string) (DatabaseURL, error) { return dsn.Parse(s) }
