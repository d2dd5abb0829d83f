// Command consumer is a workload that uses a credential of the operator without pause: it fetches a token and calls the sender
// endpoint of Cloud Integration with it, again and again until it is asked to end. It knows nothing of the operator, and
// tries nothing twice: what a call comes to is one line of its tally.
//
//	CREDENTIAL=/credential TALLY=/tally consumer      with the keys of the Secret in files of that folder
//	TALLY=/tally consumer                             with the keys of the Secret in the environment
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// A breath between two calls, so that three consumers leave the machine some time for those whom they watch.
const breath = 10 * time.Millisecond

// Longer than any call takes on a machine that has much to do.
var client = &http.Client{Timeout: 20 * time.Second}

func main() {
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGTERM, syscall.SIGINT)
	tally, err := openTally()
	if err != nil {
		log.Fatal(err)
	}
	var works atomic.Bool
	go serveReadiness(&works)
	for {
		select {
		case <-ended:
			return
		case <-time.After(breath):
		}
		err := call()
		works.Store(err == nil)
		if err := record(tally, err); err != nil {
			log.Fatal(err)
		}
	}
}

// openTally makes a file of this pod, in a folder that outlives it.
func openTally() (*os.File, error) {
	pod, err := os.Hostname()
	if err != nil {
		return nil, err
	}
	return os.OpenFile(filepath.Join(os.Getenv("TALLY"), pod), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
}

// record writes one line for one call.
func record(tally io.Writer, failure error) error {
	line := "ok"
	if failure != nil {
		line = time.Now().UTC().Format(time.RFC3339Nano) + " " + strings.ReplaceAll(failure.Error(), "\n", " ")
		log.Print(line)
	}
	_, err := fmt.Fprintln(tally, line)
	return err
}

// serveReadiness answers the kubelet: ready is who has called and was answered.
func serveReadiness(works *atomic.Bool) {
	log.Fatal(http.ListenAndServe(":8080", http.HandlerFunc(func(answer http.ResponseWriter, _ *http.Request) {
		if !works.Load() {
			answer.WriteHeader(http.StatusServiceUnavailable)
		}
	})))
}

// call is what the workload is for: a token, and a message sent with it.
func call() error {
	credential, err := read()
	if err != nil {
		return err
	}
	form := url.Values{
		"grant_type": {"client_credentials"}, "client_id": {credential["clientid"]}, "client_secret": {credential["clientsecret"]},
	}
	body, err := post(credential["tokenurl"], "application/x-www-form-urlencoded", "", form.Encode())
	if err != nil {
		return fmt.Errorf("token: %w", err)
	}
	var token struct {
		Value string `json:"access_token"`
	}
	if err := json.Unmarshal(body, &token); err != nil {
		return fmt.Errorf("token: %w", err)
	}
	if _, err := post(credential["url"]+"/http/orders", "application/json", token.Value, `{"order":1}`); err != nil {
		return fmt.Errorf("sender: %w", err)
	}
	return nil
}

func post(address, kind, token, body string) ([]byte, error) {
	request, err := http.NewRequest(http.MethodPost, address, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", kind)
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	answer, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", answer.Status, text)
	}
	return text, err
}
