package characterize

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/balerhq/baler/handlers/handlertest"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

func run(t *testing.T, name, content string, args any, facts map[string]any) tasks.Result {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	testkit.WriteFile(t, path, content)
	r, err := handlertest.DryRun{Args: args, Facts: facts}.Run(t.Context(), New(), path)
	testkit.Must(t, err)
	return r[0]
}

// check compares how a file ends, and its facts as JSON with sorted keys.
func check(t *testing.T, r *tasks.Result, end, facts string) {
	t.Helper()
	if got := strings.TrimSpace(string(r.Outcome) + " " + r.Code); got != end {
		t.Errorf("%s, want %s: %s", got, end, r.Error)
	}
	var all map[string]any
	if len(r.Facts) > 0 {
		testkit.Must(t, json.Unmarshal(r.Facts, &all))
	}
	sorted, err := json.Marshal(all)
	testkit.Must(t, err)
	if string(sorted) != facts {
		t.Errorf("facts\n%s, want\n%s", sorted, facts)
	}
}

func TestImages(t *testing.T) {
	const own = `"characterized_by":"baler"`
	const inEXIF = `"author":"Jo Writer","camera":"Example One",` + own +
		`,"gps_latitude":52.5,"gps_longitude":-13.25,"height":32,"orientation":6,"taken":"2021-03-04T05:06:07"`
	for _, c := range []struct{ name, content, end, facts string }{
		{"plain.jpg", withSegments(t), "succeeded", `{` + own + `,"height":32,"width":64}`},
		{"exif.bin", withSegments(t, exifSegment()), "succeeded", `{` + inEXIF + `,"width":64}`},
		{
			"xmp.jpg", withSegments(t, xmpSegment(`<dc:title><rdf:Alt><rdf:li xml:lang="x-default">The title</rdf:li></rdf:Alt></dc:title>`+
				`<dc:subject><rdf:Bag><rdf:li>one</rdf:li><rdf:li>two</rdf:li></rdf:Bag></dc:subject>`+
				`<dc:creator><rdf:Seq><rdf:li>Jo</rdf:li></rdf:Seq></dc:creator><xmp:CreateDate>2020-01-02T03:04:05Z</xmp:CreateDate>`)),
			"succeeded", `{"author":"Jo",` + own + `,"height":32,"keywords":["one","two"],"software":"Hand","taken":"2020-01-02T03:04:05Z",` +
				`"title":"The title","width":64}`,
		},
		{"a.gif", gifOf(t), "succeeded", `{` + own + `,"height":7,"width":5}`},
		{"a.png", pngOf(t), "succeeded", `{` + own + `,"height":3,"width":9}`},
		{"bomb.png", bomb(), "succeeded", `{` + own + `,"height":100000,"width":100000}`},
		{"cut.png", pngOf(t)[:20], "warning malformed", `null`},
		// The dimensions are there although the metadata is invalid.
		{
			"damaged.jpg", withSegments(t, "Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x01\x01\x0f\x4b\x52\x00\x00\x00\x01\x00\x00\x00\x00"),
			"warning malformed", `{` + own + `,"height":32,"width":64}`,
		},
		{
			"long.jpg", withSegments(t, exifSegment(ascii(0x8298, strings.Repeat("©", 300)))), "succeeded",
			`{"author":"Jo Writer","camera":"Example One",` + own + `,"copyright":"` + strings.Repeat("©", 300) +
				`","gps_latitude":52.5,"gps_longitude":-13.25,"height":32,"orientation":6,"taken":"2021-03-04T05:06:07","width":64}`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := run(t, c.name, c.content, nil, nil)
			check(t, &r, c.end, c.facts)
		})
	}
}

func TestAllTagsWithinABound(t *testing.T) {
	content := withSegments(t, exifSegment(), xmpSegment(`<dc:format>image/jpeg</dc:format>`))
	r := run(t, "a.jpg", content, map[string]any{"tags": true}, nil)
	for _, want := range []string{`"exif":{`, `"Make":"Example"`, `"xmp":{"CreatorTool":"Hand","format":"image/jpeg"}`} {
		if !strings.Contains(string(r.Facts), want) {
			t.Errorf("%s is missing in %s", want, r.Facts)
		}
	}
	r = run(t, "a.jpg", content, map[string]any{"tags": true, "max_metadata": 50}, nil)
	check(t, &r, "warning cut", `{"characterized_by":"baler","height":32,"orientation":6,"width":64}`)
	r = run(t, "a.jpg", content, map[string]any{"max_metadata": "1MiB"}, nil)
	check(t, &r, "failed bad-args", "null")
}

func TestXMPPacketThatNeverEnds(t *testing.T) {
	found, cut := readXMP(strings.NewReader(`<rdf:RDF xmlns:rdf="` + rdf + `" xmlns:a="urn:a"><rdf:Description>` +
		strings.Repeat("<a:b>c</a:b>", 200_000)))
	if len(found) != maxXMPProperties || !cut {
		t.Errorf("%d properties, cut %t", len(found), cut)
	}
	found, cut = readXMP(strings.NewReader(`<rdf:RDF xmlns:rdf="` + rdf + `" xmlns:a="urn:a"><rdf:Description><a:b>` + strings.Repeat("x", maxXMP)))
	if len(found) != 0 || !cut {
		t.Errorf("%d properties, cut %t", len(found), cut)
	}
}

func TestPDF(t *testing.T) {
	r := run(t, "a.pdf", pdf(3, "/Title(Three pages)/Author(Jo)/Producer(Hand)"), nil, nil)
	check(t, &r, "succeeded", `{"author":"Jo","characterized_by":"pdfcpu","pages":3,"pdf_version":"1.4","software":"Hand","title":"Three pages"}`)
	r = run(t, "a.pdf", pdf(3, "")[:80], nil, nil)
	check(t, &r, "warning malformed", "null")
	r = run(t, "a.pdf", pdf(3, ""), map[string]any{"max_pdf": 100}, nil)
	check(t, &r, "warning too-large", "null")
}

func TestFilesWithoutProperties(t *testing.T) {
	for name, content := range map[string]string{"a.txt": "text", "empty.bin": "", "a.zip": "PK\x03\x04"} {
		r := run(t, name, content, nil, nil)
		check(t, &r, "skipped not-known", "null")
	}
}

// installed puts a program of this name into an otherwise empty PATH.
func install(t *testing.T, name, script string) {
	t.Helper()
	dir := t.TempDir()
	testkit.Must(t, os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+script+"\n"), 0o700)) //nolint:gosec // a program
	t.Setenv("PATH", dir)
}

func TestFilmsByProgram(t *testing.T) {
	for _, c := range []struct{ name, program, script, end, facts string }{
		{
			"ffprobe", "ffprobe", `printf '%s' '{"streams":[{"codec_type":"video","codec_name":"h264","width":640,"height":480,
			"avg_frame_rate":"30000/1001"},{"codec_type":"audio","codec_name":"aac","sample_rate":"48000","channels":2}],
			"format":{"format_name":"mov,mp4","duration":"12.480000","bit_rate":"800000","tags":{"title":"A film"}}}'`, "succeeded",
			`{"audio_codec":"aac","bit_rate":800000,"channels":2,"characterized_by":"ffprobe","codec":"h264","container":"mov,mp4",` +
				`"duration":12.48,"frame_rate":29.97,"height":480,"sample_rate":48000,"title":"A film","width":640}`,
		},
		{
			"mediainfo", "mediainfo", `printf '%s' '{"media":{"track":[{"@type":"General","Format":"Wave","Duration":"3.000"},
			{"@type":"Audio","Format":"PCM","Channels":"1","SamplingRate":"44100"}]}}'`, "succeeded",
			`{"audio_codec":"PCM","channels":1,"characterized_by":"mediainfo","container":"Wave","duration":3,"sample_rate":44100}`,
		},
		{
			"exiftool", "exiftool", `printf '%s' '[{"FileType":"MOV","Duration":2.5,"ImageWidth":16,"ImageHeight":9}]'`, "succeeded",
			`{"characterized_by":"exiftool","container":"MOV","duration":2.5,"height":9,"width":16}`,
		},
		{"a format that it does not know", "exiftool", `printf '%s' '[{"Error":"Unknown file type"}]'; exit 1`, "skipped not-known", "null"},
		{"an error", "ffprobe", `echo 'moov atom not found' >&2; exit 1`, "warning tool-failed", "null"},
		{"no JSON", "ffprobe", `echo no`, "warning tool-failed", "null"},
		{"killed", "ffprobe", `kill -9 $$`, "error signal-KILL", "null"},
		{"none", "true", `exit 0`, "warning no-program", "null"},
	} {
		t.Run(c.name, func(t *testing.T) {
			install(t, c.program, c.script)
			r := run(t, "a.mp4", "content", nil, nil)
			check(t, &r, c.end, c.facts)
		})
	}
}

// What identify found counts where the name says nothing.
func TestKindByMIME(t *testing.T) {
	install(t, "exiftool", `printf '%s' '[{"Title":"A letter","Pages":2,"Words":300,"FileType":"DOC"}]'`)
	r := run(t, "letter", "content", nil, map[string]any{"mime": "application/msword"})
	check(t, &r, "succeeded", `{"characterized_by":"exiftool","pages":2,"title":"A letter","words":300}`)
}

func TestMissingPrograms(t *testing.T) {
	install(t, "true", "")
	if all := missing(t.Context(), nil); len(all) != 2 || !strings.Contains(all[0].Problem, "none of ffprobe, mediainfo and exiftool") {
		t.Errorf("%+v", all)
	}
	install(t, "exiftool", "")
	if all := missing(t.Context(), nil); len(all) != 0 {
		t.Errorf("%+v", all)
	}
}
