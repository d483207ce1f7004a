package load

import "github.com/balerhq/baler/internal/tableload"

// kindInto returns the type by which values of a mapping's type are read for a column of
// the type own. Where a database would round or cut a value of another type, that is the
// column's type.
func kindInto(mapped, own tableload.ColumnType) tableload.ColumnType {
	if mapped == "" {
		return own
	}
	switch own {
	case tableload.ColumnInt, tableload.ColumnFloat, tableload.ColumnDecimal, tableload.ColumnBool:
		switch mapped {
		case tableload.ColumnText, tableload.ColumnJSON, tableload.ColumnFloat, tableload.ColumnDecimal:
			return own
		case tableload.ColumnInt, tableload.ColumnBool, tableload.ColumnTime, tableload.ColumnDate:
		}
	case tableload.ColumnTime, tableload.ColumnDate:
		return own
	case tableload.ColumnText, tableload.ColumnJSON:
	}
	return mapped
}
