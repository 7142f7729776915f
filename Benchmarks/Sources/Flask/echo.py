import sys

from flask import Flask, jsonify, request

app = Flask(__name__)


@app.get("/health")
def health():
    return jsonify(status="ok")


@app.get("/echo")
def echo():
    return jsonify(echo=request.args.get("msg", "no message"))


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(sys.argv[1]))
