package tasks

import (
	"path/filepath"
	"slices"
	"strings"
)

// The paths of objects in object storage are scheme://bucket/key. Every byte of the key
// counts: nothing in it is an escape, and neither "//" nor ".." has a meaning.

// objectSchemes are the kinds of object storage: S3, Google Cloud Storage and Azure Blob
// Storage.
func objectSchemes() []string { return []string{"s3", "gs", "azblob"} }

// IsObject reports whether a path names an object, or objects, instead of a file.
func IsObject(path string) bool {
	scheme, _, ok := strings.Cut(path, "://")
	return ok && slices.Contains(objectSchemes(), scheme)
}

// SplitObject splits the path of an object into its bucket, such as "s3://films", and its
// key, which is empty for the whole bucket.
func SplitObject(path string) (bucket, key string) {
	start := strings.Index(path, "://") + len("://")
	if i := strings.IndexByte(path[start:], '/'); i >= 0 {
		return path[:start+i], path[start+i+1:]
	}
	return path, ""
}

// Separator is what stands between the names of a path: in the address of an object a slash on
// every system.
func Separator(path string) string {
	if IsObject(path) {
		return "/"
	}
	return string(filepath.Separator)
}

// ParentPath returns the folder that a path lies in; of an object the path up to its last
// slash. The parent of a root, or of a bucket, is itself.
func ParentPath(path string) string {
	if !IsObject(path) {
		return filepath.Dir(path)
	}
	bucket, key := SplitObject(path)
	if i := strings.LastIndexByte(key, '/'); i >= 0 {
		return bucket + "/" + key[:i]
	}
	return bucket
}

// BaseName returns the last name of a path; of an object what follows its last slash, or
// the name before a slash at its end.
func BaseName(path string) string {
	if !IsObject(path) {
		return filepath.Base(path)
	}
	path = strings.TrimRight(path, "/")
	return path[strings.LastIndexByte(path, '/')+1:]
}
