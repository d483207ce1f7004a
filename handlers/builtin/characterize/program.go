package characterize

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os/exec"
	"strconv"
	"strings"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/handlers/command"
)

// program is one that tells the properties of files as JSON.
type program struct {
	name string
	args func(path string) []string
	read func(found *properties, answer any)
}

// maxAnswer is how much a program may say.
const maxAnswer = 8 << 20

// programs are those that know films and recordings, the best first.
func programs() []program {
	return []program{
		{"ffprobe", func(path string) []string {
			// Playlists may name other files and addresses: these are not opened.
			return []string{"-v", "error", "-protocol_whitelist", "file", "-show_format", "-show_streams", "-of", "json", "file:" + path}
		}, readFFprobe},
		{"mediainfo", func(path string) []string { return []string{"--Output=JSON", path} }, readMediaInfo},
		exiftool(),
	}
}

func exiftool() program {
	return program{"exiftool", func(path string) []string {
		return []string{"-json", "-n", "-api", "LargeFileSupport=1", "-fast", path}
	}, readExifTool}
}

// installed is the first of some programs that this host has.
func installed(of ...program) (program, bool) {
	for _, p := range of {
		if _, err := exec.LookPath(p.name); err == nil {
			return p, true
		}
	}
	return program{}, false
}

// missing says beforehand which files will not be characterized.
func missing(context.Context, any) (all []handlers.ServiceProblem) {
	if _, ok := installed(programs()...); !ok {
		all = append(all, handlers.ServiceProblem{
			Problem: "none of ffprobe, mediainfo and exiftool is installed; " + command.InstallHint("ffprobe"),
			Effect:  "Films and recordings are not characterized, and end as warnings (" + CodeNoProgram + ").",
		})
	}
	if _, ok := installed(exiftool()); !ok {
		all = append(all, handlers.ServiceProblem{
			Problem: "exiftool is not installed; " + command.InstallHint("exiftool"),
			Effect:  "Office files, and images in rare formats, are not characterized, and end as warnings (" + CodeNoProgram + ").",
		})
	}
	return all
}

// byProgram asks the first program that is installed.
func (in *input) byProgram(found *properties, of ...program) error {
	p, ok := installed(of...)
	if !ok {
		return handlers.Warn(CodeNoProgram, fmt.Sprintf("not characterized: install %s; %s", namesOf(of), command.InstallHint(of[0].name)))
	}
	done, err := in.job.CopyLocally(in.ctx)
	if err != nil {
		return err
	}
	defer done()
	var answer, problems bounded
	end, err := command.Program{Name: p.name, Args: p.args(in.job.LocalPath())}.RunTo(in.ctx, &answer, &problems)
	if err != nil {
		return err
	}
	if signal, _, killed := command.KilledBy(end); killed {
		return handlers.RetryLater("signal-"+signal, fmt.Errorf("%s: %v", p.name, end))
	}
	var value any
	parseErr := json.Unmarshal(answer.Bytes(), &value)
	if why, ok := unknownFormat(value); ok {
		return handlers.Skip(CodeNotKnown, p.name+": "+why)
	}
	if end.ExitCode() != 0 {
		return handlers.Warn(CodeFailed, fmt.Sprintf("not characterized: %s: %v: %s", p.name, end, firstLine(problems.String())))
	}
	if parseErr != nil {
		return handlers.Warn(CodeFailed, fmt.Sprintf("not characterized: the answer of %s is not JSON: %v", p.name, parseErr))
	}
	found.by = p.name
	p.read(found, value)
	return nil
}

// unknownFormat reports that exiftool does not know the format, and why it says so.
func unknownFormat(answer any) (why string, ok bool) {
	files, _ := answer.([]any)
	if len(files) != 1 {
		return "", false
	}
	why, ok = at(files[0], "Error").(string)
	return why, ok
}

func namesOf(programs []program) string {
	names := make([]string, len(programs))
	for i, p := range programs {
		names[i] = p.name
	}
	return strings.Join(names, " or ")
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return line
}

// bounded keeps what a program says first.
type bounded struct{ bytes.Buffer }

func (b *bounded) Write(p []byte) (int, error) {
	if room := maxAnswer - b.Len(); room > 0 {
		b.Buffer.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}

// at is the value at a path in JSON; nil when there is none.
func at(value any, path ...string) any {
	for _, key := range path {
		object, _ := value.(map[string]any)
		value = object[key]
	}
	return value
}

// elements are those of a list with a value under a key.
func elements(list any, key, value string) (found []any) {
	all, _ := list.([]any)
	for _, e := range all {
		if text, _ := at(e, key).(string); text == value {
			found = append(found, e)
		}
	}
	return found
}

// numeric is a number that may be written as text, or as a fraction such as 30000/1001.
func numeric(value any) any {
	text, isText := value.(string)
	if !isText {
		return value
	}
	above, below, isFraction := strings.Cut(text, "/")
	n, err := strconv.ParseFloat(strings.TrimSpace(above), 64)
	if err != nil || math.IsInf(n, 0) || math.IsNaN(n) {
		return nil
	}
	if d, err := strconv.ParseFloat(below, 64); isFraction && (err != nil || d == 0) {
		return nil
	} else if isFraction {
		n = math.Round(n/d*1000) / 1000
	}
	return n
}

func readFFprobe(found *properties, answer any) {
	format := at(answer, "format")
	found.add("duration", numeric(at(format, "duration")))
	found.add("bit_rate", numeric(at(format, "bit_rate")))
	found.add("container", at(format, "format_name"))
	streams := at(answer, "streams")
	for _, v := range elements(streams, "codec_type", "video") {
		if cover, _ := at(v, "disposition", "attached_pic").(float64); cover == 1 { // the picture of a record
			continue
		}
		found.add("codec", at(v, "codec_name"))
		found.add("width", at(v, "width"))
		found.add("height", at(v, "height"))
		found.add("frame_rate", numeric(at(v, "avg_frame_rate")))
	}
	for _, a := range elements(streams, "codec_type", "audio") {
		found.add("audio_codec", at(a, "codec_name"))
		found.add("sample_rate", numeric(at(a, "sample_rate")))
		found.add("channels", at(a, "channels"))
	}
	for fact, tag := range map[string]string{"title": "title", "author": "artist", "copyright": "copyright", "software": "encoder"} {
		found.add(fact, at(format, "tags", tag))
	}
}

func readMediaInfo(found *properties, answer any) {
	tracks := at(answer, "media", "track")
	for _, g := range elements(tracks, "@type", "General") {
		found.add("duration", numeric(at(g, "Duration")))
		found.add("bit_rate", numeric(at(g, "OverallBitRate")))
		found.add("container", at(g, "Format"))
		found.add("title", at(g, "Title"))
		found.add("author", at(g, "Performer"))
		found.add("copyright", at(g, "Copyright"))
		found.add("software", at(g, "Encoded_Application"))
	}
	for _, v := range elements(tracks, "@type", "Video") {
		found.add("codec", at(v, "Format"))
		found.add("width", numeric(at(v, "Width")))
		found.add("height", numeric(at(v, "Height")))
		found.add("frame_rate", numeric(at(v, "FrameRate")))
	}
	for _, a := range elements(tracks, "@type", "Audio") {
		found.add("audio_codec", at(a, "Format"))
		found.add("sample_rate", numeric(at(a, "SamplingRate")))
		found.add("channels", numeric(at(a, "Channels")))
	}
}

// exifToolFacts are the tags of exiftool that facts are taken from, the first that is there.
func exifToolFacts() map[string][]string {
	return map[string][]string{
		"width": {"ImageWidth"}, "height": {"ImageHeight"}, "orientation": {"Orientation"}, "camera": {"Model"}, "lens": {"LensModel"},
		"taken": {"DateTimeOriginal"}, "gps_latitude": {"GPSLatitude"}, "gps_longitude": {"GPSLongitude"}, "gps_altitude": {"GPSAltitude"},
		"title": {"Title"}, "author": {"Author", "Creator", "Artist"}, "description": {"Description", "Subject"},
		"copyright": {"Copyright", "Rights"}, "software": {"Application", "Software", "Generator", "Encoder"},
		"pages": {"Pages", "PageCount", "Document-statisticPage-count"},
		"words": {"Words", "Document-statisticWord-count"}, "slides": {"Slides"},
		"duration": {"Duration"}, "bit_rate": {"AvgBitrate", "AudioBitrate"}, "container": {"FileType"},
		"codec": {"CompressorID", "VideoCodec"}, "audio_codec": {"AudioFormat", "Encoding"}, "frame_rate": {"VideoFrameRate"},
		"sample_rate": {"AudioSampleRate", "SampleRate"}, "channels": {"AudioChannels", "NumChannels"},
	}
}

func readExifTool(found *properties, answer any) {
	files, _ := answer.([]any)
	if len(files) == 0 {
		return
	}
	names := exifToolFacts()
	for _, fact := range factNames() {
		if fact == "container" && at(files[0], "Duration") == nil { // what identify says better
			continue
		}
		for _, tag := range names[fact] {
			switch v := at(files[0], tag).(type) {
			case string, float64:
				found.add(fact, v)
			}
		}
	}
}

// state is that of the programs that are installed: another version may tell more.
func state(any, string) (string, bool) {
	var all strings.Builder
	for _, p := range programs() {
		text, _ := command.State([]string{p.name}, "") // one that is missing has none
		fmt.Fprintf(&all, "%s: %s\n", p.name, text)
	}
	return all.String(), true
}
