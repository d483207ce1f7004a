package config_test

import (
	"strings"
	"testing"

	"github.com/balerhq/baler/config"
)

func TestCheckWebhook(t *testing.T) {
	t.Parallel()
	for _, address := range []string{
		"http://h", "https://h:1/", "https://u:hush@h/p?q=%20#f", "HTTPS://[::1]:8080/x", "https://bücher.example/",
	} {
		if err := config.CheckWebhook(address); err != nil {
			t.Errorf("%s: %v", address, err)
		}
	}
	for _, address := range []string{
		"", "h", "/p", "//h/p", "https:", "https://", "https://:1/", "https:h", "ftp://h/", "file:///etc/passwd", "https://h:x/",
		"https://h/\nhttps://i/", "https://u:hush@h/%zz", "ssh://u:hush@h", "https://h/" + strings.Repeat("x", 2048),
	} {
		err := config.CheckWebhook(address)
		if err == nil {
			t.Errorf("%q is accepted", address)
		} else if strings.Contains(err.Error(), "hush") {
			t.Errorf("the password shows: %v", err)
		}
	}
}

func TestWebhookSecretsThatCannotSignAreRefused(t *testing.T) {
	t.Parallel()
	for secret, ok := range map[string]bool{"": true, "hush": true, "whsec_aHVzaA==": true, "whsec_hush!": false} {
		c := config.Config{Webhook: config.WebhookSettings{Secret: secret}}.WithDefaults([]string{home})
		err := c.Validate()
		if (err == nil) != ok {
			t.Errorf("%q: %v", secret, err)
		}
		if err != nil && (strings.Contains(err.Error(), "hush!") || !strings.Contains(err.Error(), "webhook.secret")) {
			t.Errorf("%q: got %v", secret, err)
		}
	}
}

func TestWebhooksOfTheSiteReachPublicAddresses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		webhook config.WebhookSettings
		want    string // "" when it is fine
	}{
		{config.WebhookSettings{URLs: []string{"http://10.0.0.1/"}}, "webhook.urls: number 1 10.0.0.1 is a private address"},
		{config.WebhookSettings{URLs: []string{"http://10.0.0.1/"}, Networks: []string{"10.0.0.0/8"}}, ""},
		{config.WebhookSettings{Networks: []string{"10.0.0"}}, "webhook.networks: \"10.0.0\" is not a network"},
	} {
		err := config.Config{Webhook: c.webhook}.WithDefaults([]string{home}).Validate()
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%+v: %v", c.webhook, err)
		}
	}
}
