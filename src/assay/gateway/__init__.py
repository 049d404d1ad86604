"""An OpenAI-compatible reverse proxy with the guard inside.

`docs/architecture.md` shows how a request passes; `docs/gateway.md` is for those who run it.
"""
