package load

import "github.com/balerhq/baler/recipe"

// DefaultChunkSize is the size in bytes of the chunks of files of lines.
const DefaultChunkSize = 8 << 20

// Recipe makes the recipe of one load step into an existing table; chunkSize is the size
// in bytes of the chunks that files are split into. The same arguments give the same
// recipe, also when the first run creates the table.
func (a *Args) Recipe(chunkSize int64) (*recipe.Recipe, error) {
	with := map[string]any{"into": a.Into}
	for name, text := range map[string]string{
		"line_column": a.LineColumn, "line_contains": a.LineContains, "on_duplicate": string(a.OnDuplicate),
	} {
		if text != "" {
			with[name] = text
		}
	}
	for name, list := range map[string][]string{"map": a.Map, "key": a.Key} {
		if len(list) > 0 {
			with[name] = list
		}
	}
	return recipe.New("load", chunkSize, Name, with)
}
