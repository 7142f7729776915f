// Service A and, where the URL of one is given, Service B on net/http.
package main

import (
	"encoding/json"
	"log"
	"net/http"
	"net/url"
	"os"
	"time"
)

type echo struct {
	Echo string `json:"echo"`
}

type answer struct {
	ServiceAResponse echo   `json:"service_a_response"`
	ServiceBMessage  string `json:"service_b_message"`
}

func message(r *http.Request, fallback string) string {
	if query := r.URL.Query(); query.Has("msg") {
		return query.Get("msg")
	}
	return fallback
}

func respond(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(value)
}

func main() {
	http.HandleFunc("/health", func(w http.ResponseWriter, r *http.Request) {
		respond(w, map[string]string{"status": "ok"})
	})
	http.HandleFunc("/echo", func(w http.ResponseWriter, r *http.Request) {
		respond(w, echo{message(r, "no message")})
	})
	if len(os.Args) > 2 {
		// The default of 2 idle connections would have most calls open a new one.
		client := http.Client{
			Timeout:   2 * time.Second,
			Transport: &http.Transport{MaxIdleConnsPerHost: 1024},
		}
		http.HandleFunc("/call-echo", func(w http.ResponseWriter, r *http.Request) {
			result := answer{ServiceBMessage: "Service B called A successfully"}
			response, err := client.Get(
				os.Args[2] + "/echo?msg=" + url.QueryEscape(message(r, "hello")))
			if err == nil {
				defer response.Body.Close()
				err = json.NewDecoder(response.Body).Decode(&result.ServiceAResponse)
			}
			if err != nil || response.StatusCode != http.StatusOK {
				http.Error(w, "Service A is unavailable", http.StatusServiceUnavailable)
				return
			}
			respond(w, result)
		})
	}
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Args[1], nil))
}
