"""How requests are sent: TLS checked, proxies of the environment used, redirects followed without giving credentials away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.foundation.image_reference import is_loopback

if TYPE_CHECKING:
    from http.client import HTTPMessage
    from typing import IO
    from urllib.request import OpenerDirector, Request


def opener() -> OpenerDirector:
    """An opener of HTTP and HTTPS addresses; a status other than 2xx is an `HTTPError`, which is also the answer.

    Certificates are checked against those of the machine (or `SSL_CERT_FILE`, `SSL_CERT_DIR`). `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and
    `NO_PROXY` count.
    """
    import ssl
    from urllib import request

    class Redirects(request.HTTPRedirectHandler):
        """Follows redirects to HTTPS. Only the host that credentials were meant for gets them (RFC 9110, 15.4)."""

        def redirect_request(  # noqa: PLR0917 - the signature of the standard library
            self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
        ) -> Request | None:
            following = super().redirect_request(req, fp, code, msg, headers, newurl)
            if following is None:
                return None
            if following.type != "https" and not (following.type == "http" and is_loopback(following.host)):
                raise ConnectionError(f"it leads to {following.type}://{following.host}, which is not protected by TLS")
            if (following.type, following.host) != (req.type, req.host):
                following.remove_header("Authorization")
            return following

    proxies = request.getproxies()
    every = proxies.pop("all", None)
    if every is not None:
        proxies = {"http": every, "https": every, **proxies}
    return request.build_opener(request.ProxyHandler(proxies), request.HTTPSHandler(context=ssl.create_default_context()), Redirects())
