package characterize

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"unicode/utf8"

	"github.com/balerhq/baler/handlers"
)

// factNames are the facts, in the order in which they are documented.
func factNames() []string {
	return []string{
		"width", "height", "orientation", "camera", "lens", "taken", "gps_latitude", "gps_longitude", "gps_altitude",
		"title", "author", "description", "keywords", "copyright", "software",
		"pages", "pdf_version", "words", "slides",
		"duration", "bit_rate", "container", "codec", "audio_codec", "frame_rate", "sample_rate", "channels",
		"exif", "iptc", "xmp", "characterized_by",
	}
}

// properties are what is found of a file, within a number of bytes.
type properties struct {
	values map[string]any
	tags   map[string]map[string]any // by source: exif, iptc, xmp
	left   int
	cut    bool
	by     string // what found them
}

func newProperties(most int) *properties {
	return &properties{values: make(map[string]any), tags: make(map[string]map[string]any), left: most}
}

// maxText is how long one text may be.
const maxText = 2000

// add adds a property, unless there is one already, or it says nothing.
func (p *properties) add(name string, value any) {
	if _, known := p.values[name]; known {
		return
	}
	if value = p.clean(value); value != nil && p.pay(name, value) {
		p.values[name] = value
	}
}

// tag adds a tag of a source.
func (p *properties) tag(source, name string, value any) {
	if value = p.clean(value); value == nil || !p.pay(name, value) {
		return
	}
	if p.tags[source] == nil {
		p.tags[source] = make(map[string]any)
	}
	p.tags[source][name] = value
}

// pay reports whether there is room for a value.
func (p *properties) pay(name string, value any) bool {
	text, err := json.Marshal(value)
	if err != nil {
		return false // no JSON value, such as a number that is infinite
	}
	size := len(name) + len(text) + 4
	if size > p.left {
		p.cut = true
		return false
	}
	p.left -= size
	return true
}

// clean makes a JSON value of what a file says, and nil of what says nothing.
func (p *properties) clean(value any) any {
	switch v := value.(type) {
	case nil, []byte:
		return nil
	case string:
		v = strings.TrimSpace(strings.ReplaceAll(strings.ToValidUTF8(v, "\uFFFD"), "\x00", ""))
		if v == "" {
			return nil
		}
		if len(v) > maxText {
			p.cut = true
			for v = v[:maxText]; !utf8.ValidString(v); {
				v = v[:len(v)-1]
			}
		}
		return v
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil
		}
		return v
	case []string:
		var list []string
		for _, item := range v {
			if text, ok := p.clean(item).(string); ok {
				list = append(list, text)
			}
		}
		if len(list) == 0 {
			return nil
		}
		return list
	case fmt.Stringer: // rational numbers
		return p.clean(v.String())
	}
	return value
}

// record makes facts of the properties.
func (p *properties) record(job *handlers.Job) error {
	var failed []error
	for _, name := range factNames() {
		if value, ok := p.values[name]; ok {
			failed = append(failed, job.SetFact(name, value))
		}
		if tags, ok := p.tags[name]; ok {
			failed = append(failed, job.SetFact(name, tags))
		}
	}
	if p.by != "" && len(p.values)+len(p.tags) > 0 {
		failed = append(failed, job.SetFact("characterized_by", p.by))
	}
	return errors.Join(failed...)
}

// end records the properties and says how the file ends.
func (p *properties) end(job *handlers.Job) error {
	if err := p.record(job); err != nil {
		return err
	}
	switch {
	case p.cut:
		return handlers.Warn(CodeCut, "there is more metadata than is recorded (max_metadata), or a longer text")
	case len(p.values)+len(p.tags) == 0:
		return handlers.Skip(CodeNotKnown, "the file says nothing of itself")
	}
	return nil
}
