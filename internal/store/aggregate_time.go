package store

import (
	"database/sql/driver"
	"fmt"
	"time"
)

// aggregateTime is the result of MIN or MAX over times, or of a subquery; zero for NULL. SQLite knows the type of a column,
// not that of an expression, which it returns as the text that is stored.
type aggregateTime struct{ time.Time }

// Scan implements sql.Scanner.
func (t *aggregateTime) Scan(value any) (err error) {
	switch v := value.(type) {
	case nil:
		t.Time = time.Time{}
	case time.Time:
		t.Time = v
	case string:
		t.Time, err = time.Parse("2006-01-02 15:04:05.999999-07:00", v)
	default:
		err = fmt.Errorf("a %T is not a time", value)
	}
	return err
}

// Value implements driver.Valuer. Without it GORM treats the type as a table.
func (t aggregateTime) Value() (driver.Value, error) { return t.Time, nil }
