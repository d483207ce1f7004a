package tasks

import "testing"

func TestObjectPaths(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ path, bucket, key, parent, base string }{
		{"s3://b", "s3://b", "", "s3://b", "b"},
		{"s3://b/a", "s3://b", "a", "s3://b", "a"},
		{"gs://b/a/../c d", "gs://b", "a/../c d", "gs://b/a/..", "c d"},
		{"azblob://b//a", "azblob://b", "/a", "azblob://b/", "a"},
		{"s3://b/a/", "s3://b", "a/", "s3://b/a", "a"},
		{"s3://b/s3://c", "s3://b", "s3://c", "s3://b/s3:/", "c"},
	} {
		bucket, key := SplitObject(c.path)
		if !IsObject(c.path) || bucket != c.bucket || key != c.key || ParentPath(c.path) != c.parent || BaseName(c.path) != c.base {
			t.Errorf("%s: %s, %q; parent %s, base %s", c.path, bucket, key, ParentPath(c.path), BaseName(c.path))
		}
	}
	for _, path := range []string{"/s3://b", "s3:/b", "http://b/c", "S3://b", ""} {
		if IsObject(path) {
			t.Errorf("%q is taken for an object", path)
		}
	}
	if ParentPath("/a/b") != "/a" || BaseName("/a/b") != "b" {
		t.Error("paths of files differ from those of path/filepath")
	}
}
