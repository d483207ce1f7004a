package address

import (
	"path/filepath"
	"strings"

	"github.com/balerhq/baler/tasks"
)

// SplitList splits a list of folders and addresses as filepath.SplitList does, but not at
// the colons within addresses.
func SplitList(list string) (items []string) {
	parts := filepath.SplitList(list)
	for i := 0; i < len(parts); i++ {
		item := parts[i]
		if i+1 < len(parts) && tasks.IsObject(item+":"+parts[i+1]) {
			i++
			item += ":" + parts[i]
			for i+1 < len(parts) && strings.Contains(item, "?") && continues(parts, i+1) {
				i++
				item += ":" + parts[i]
			}
		}
		items = append(items, item)
	}
	return items
}

// continues reports whether a part belongs to the parameters before it, as those of
// endpoint=http://127.0.0.1:9000 do: it begins neither a path nor an address.
func continues(parts []string, i int) bool {
	if i+1 < len(parts) && tasks.IsObject(parts[i]+":"+parts[i+1]) {
		return false
	}
	return !strings.HasPrefix(parts[i], "/") || strings.HasPrefix(parts[i], "//")
}
