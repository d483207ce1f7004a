package bag

import (
	"bufio"
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"
)

var errNotOfTheBag = errors.New("not of the bag")

// holdsOnlyItsBag reports whether a folder is a bag, as this package writes it, with
// nothing else in it: all that its manifest lists is there, and there are no more files.
func holdsOnlyItsBag(folder *os.Root) bool {
	known := int64(0)
	is := func(name string) error {
		info, err := folder.Lstat(name)
		if err == nil && !info.Mode().IsRegular() {
			err = errNotOfTheBag
		}
		known++
		return err
	}
	names := []string{bagMark, bagInfo}
	payload := ""
	for _, algorithm := range allAlgorithms() { // the bag may have been written with others than today's
		if _, err := folder.Lstat(manifestName(algorithm)); err == nil {
			payload = manifestName(algorithm)
			names = append(names, payload, tagManifestName(algorithm))
		}
	}
	for _, name := range names {
		if is(name) != nil {
			return false
		}
	}
	if payload == "" || eachOfPayload(folder, payload, is) != nil {
		return false
	}
	err := fs.WalkDir(folder.FS(), ".", func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		if known--; known < 0 {
			return errNotOfTheBag
		}
		return nil
	})
	return err == nil
}

// eachOfPayload calls do with each file that a manifest of a bag lists.
func eachOfPayload(folder *os.Root, manifest string, do func(name string) error) error {
	f, err := folder.Open(manifest)
	if err != nil {
		return err
	}
	defer f.Close() // only read from
	decode := strings.NewReplacer("%25", "%", "%0A", "\n", "%0D", "\r")
	lines := bufio.NewReader(f)
	for {
		line, err := lines.ReadString('\n')
		if errors.Is(err, io.EOF) && line == "" {
			return nil
		}
		if err != nil {
			return err
		}
		_, name, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "  ")
		if err := do(decode.Replace(name)); err != nil {
			return err
		}
	}
}
