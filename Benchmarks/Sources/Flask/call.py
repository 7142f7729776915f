import sys

import requests
from flask import Flask, jsonify, request

app = Flask(__name__)


@app.get("/health")
def health():
    return jsonify(status="ok")


@app.get("/call-echo")
def call_echo():
    try:
        params = {"msg": request.args.get("msg", "hello")}
        answer = requests.get(f"{sys.argv[2]}/echo", params=params, timeout=2)
        answer.raise_for_status()
        return jsonify(
            service_a_response=answer.json(), service_b_message="Service B called A successfully"
        )
    except requests.RequestException as error:
        return jsonify(error="Service A is unavailable", details=str(error)), 503


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(sys.argv[1]))
