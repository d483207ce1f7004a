package command

import "testing"

func TestInstallHint(t *testing.T) {
	t.Parallel()
	for program, want := range map[string]string{
		"ffprobe": "install it, for example with apt install ffmpeg or brew install ffmpeg",
		"ours":    "install it, or correct the name",
	} {
		if got := InstallHint(program); got != want {
			t.Errorf("%s: %s", program, got)
		}
	}
	if !Installed("sh", "") || Installed("no-such-program", "") || Installed("./no-such", "/") || Installed("./sh", "") {
		t.Error("what is installed is not known")
	}
}
