package db

import (
	"database/sql"
	"strings"

	"gorm.io/gorm"
	"gorm.io/gorm/callbacks"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/logger"
	"gorm.io/gorm/schema"
)

// sqliteTime is how times are stored: all of them UTC and equally long, so that
// text compares as time does.
const sqliteTime = "2006-01-02 15:04:05.000000-07:00"

// sqliteDialect is GORM's dialect for the SQLite driver of ncruces, as far as
// Baler uses it: tables are made by migrations in SQL, never by GORM.
type sqliteDialect struct{ dsn, folder string }

var _ gorm.Dialector = sqliteDialect{}

// Name implements gorm.Dialector.
func (sqliteDialect) Name() string { return string(SQLite) }

// Initialize implements gorm.Dialector.
func (d sqliteDialect) Initialize(db *gorm.DB) error {
	connector, err := newKeepingConnector(d.dsn)
	if err != nil {
		return err
	}
	db.ConnPool = sql.OpenDB(connector)
	callbacks.RegisterDefaultCallbacks(db, &callbacks.Config{
		CreateClauses: []string{"INSERT", "VALUES", "ON CONFLICT", "RETURNING"},
		UpdateClauses: []string{"UPDATE", "SET", "FROM", "WHERE", "RETURNING"},
		DeleteClauses: []string{"DELETE", "FROM", "WHERE", "RETURNING"},

		LastInsertIDReversed: true, // SQLite gives the last row's number, not the first one's
	})
	return nil
}

// Migrator implements gorm.Dialector. There is none.
func (sqliteDialect) Migrator(*gorm.DB) gorm.Migrator { return nil }

// DataTypeOf implements gorm.Dialector. Only a migrator asks for types.
func (sqliteDialect) DataTypeOf(*schema.Field) string { return "" }

// DefaultValueOf implements gorm.Dialector.
func (sqliteDialect) DefaultValueOf(*schema.Field) clause.Expression { return clause.Expr{SQL: "NULL"} }

// BindVarTo implements gorm.Dialector.
func (sqliteDialect) BindVarTo(w clause.Writer, _ *gorm.Statement, _ any) { _ = w.WriteByte('?') }

// QuoteTo implements gorm.Dialector.
func (sqliteDialect) QuoteTo(w clause.Writer, name string) {
	for i, part := range strings.Split(name, ".") {
		if i > 0 {
			_ = w.WriteByte('.')
		}
		_, _ = w.WriteString("`" + strings.ReplaceAll(part, "`", "``") + "`") // writing to memory never fails
	}
}

// Explain implements gorm.Dialector.
func (sqliteDialect) Explain(statement string, values ...any) string {
	return logger.ExplainSQL(statement, nil, `"`, values...)
}
