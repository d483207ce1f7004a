package watch

import (
	"path/filepath"
	"strings"
)

// temporary are endings of the names that programs give to files until they are complete.
func temporary() []string {
	return []string{".part", ".partial", ".filepart", ".crdownload", ".download", ".tmp", ".temp", ".swp", "~"}
}

// passing reports whether a name is hidden or temporary.
func passing(name string) bool {
	if strings.HasPrefix(name, ".") || strings.HasPrefix(name, "~$") {
		return true
	}
	lower := strings.ToLower(name)
	for _, end := range temporary() {
		if strings.HasSuffix(lower, end) {
			return true
		}
	}
	return false
}

// Patterns leave out of a folder that is submitted what its fingerprint leaves out.
func (s *Settings) Patterns() []string {
	var patterns []string
	if s.Marker != "" && s.Each == EachFolder {
		patterns = append(patterns, "/"+escapePattern(s.Marker))
	}
	if s.Hidden {
		return patterns
	}
	patterns = append(patterns, ".*", "~$*")
	for _, end := range temporary() {
		patterns = append(patterns, "*"+anyCase(end))
	}
	return patterns
}

func escapePattern(name string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`, "!", `\!`, " ", `\ `).Replace(name)
}

// anyCase is a pattern for a text of letters in any case.
func anyCase(text string) string {
	var b strings.Builder
	for _, c := range text {
		if c >= 'a' && c <= 'z' {
			b.WriteString("[" + string(c) + strings.ToUpper(string(c)) + "]")
		} else {
			b.WriteRune(c)
		}
	}
	return b.String()
}

// markerOf is the path of the marker of an entry: COMPLETE in the folder, scan.tif.ready beside
// the file scan.tif where the marker is .ready.
func (s *Settings) markerOf(path string) string {
	if s.Each == EachFolder {
		return filepath.Join(path, s.Marker)
	}
	return path + s.Marker
}

// isMarker reports whether a name is that of a marker beside a file.
func (s *Settings) isMarker(name string) bool {
	return s.Marker != "" && s.Each == EachFile && len(name) > len(s.Marker) && strings.HasSuffix(name, s.Marker)
}
