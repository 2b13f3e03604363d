"""GStreamer's RTSP server as a camera: run by the system's Python, which has its bindings.

    python3 gst_rtsp_server.py '{"clip": "x.mp4", "codec": "h264", "port": 0, ...}'

Serves the video of a file at /main, each caller from its first picture on, and prints its port. Keys beside
those: "user", "password" and "method" ("basic" or "digest"); "protocols", some of "udp" and "tcp". It ends
with its standard input. With --check it only says whether all it needs is there.

Packages: gir1.2-gst-rtsp-server-1.0 gstreamer1.0-plugins-good gstreamer1.0-plugins-bad python3-gi.
"""

import json
import sys
import threading

import gi  # type: ignore[import-not-found]

for name in ("Gst", "GstRtsp", "GstRtspServer"):
    gi.require_version(name, "1.0")
from gi.repository import GLib, Gst, GstRtsp, GstRtspServer  # type: ignore[import-not-found]  # noqa: E402

NEEDED = ("qtdemux", "h264parse", "h265parse", "rtph264pay", "rtph265pay", "rtpbin")
PROTOCOLS = {"udp": GstRtsp.RTSPLowerTrans.UDP, "tcp": GstRtsp.RTSPLowerTrans.TCP}
METHODS = {"basic": GstRtsp.RTSPAuthMethod.BASIC, "digest": GstRtsp.RTSPAuthMethod.DIGEST}


def protect(server: GstRtspServer.RTSPServer, factory: GstRtspServer.RTSPMediaFactory, told: dict) -> None:  # type: ignore[type-arg]
    """Let in one user, by one method."""
    auth, token = GstRtspServer.RTSPAuth(), GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", "user")
    auth.set_supported_methods(METHODS[told["method"]])
    if told["method"] == "basic":
        auth.add_basic(GstRtspServer.RTSPAuth.make_basic(told["user"], told["password"]), token)
    else:
        auth.add_digest(told["user"], told["password"], token)
    server.set_auth(auth)
    permissions = GstRtspServer.RTSPPermissions()
    permissions.add_permission_for_role("user", "media.factory.access", True)
    permissions.add_permission_for_role("user", "media.factory.construct", True)
    factory.set_permissions(permissions)


def serve(told: dict) -> int:  # type: ignore[type-arg]
    """Open the server; returns its port."""
    server, factory = GstRtspServer.RTSPServer(), GstRtspServer.RTSPMediaFactory()
    server.set_address("127.0.0.1")
    server.set_service(str(told.get("port", 0)))
    codec = told["codec"]
    factory.set_launch(
        f"( filesrc location={told['clip']} ! qtdemux ! {codec}parse ! rtp{codec}pay name=pay0 pt=96 )"
    )
    protocols = GstRtsp.RTSPLowerTrans(0)
    for name in told.get("protocols", PROTOCOLS):
        protocols |= PROTOCOLS[name]
    factory.set_protocols(protocols)
    if "user" in told:
        protect(server, factory, told)
    server.get_mount_points().add_factory("/main", factory)
    if not server.attach(None):
        sys.exit(f"port {told.get('port')} cannot be opened")
    return int(server.get_bound_port())


def main() -> None:
    Gst.init(None)
    missing = [name for name in NEEDED if Gst.ElementFactory.find(name) is None]
    if missing:
        sys.exit(f"GStreamer lacks {', '.join(missing)}")
    if "--check" in sys.argv:
        return
    loop = GLib.MainLoop()
    print(serve(json.loads(sys.argv[1])), flush=True)

    def listen() -> None:
        sys.stdin.read()
        loop.quit()

    threading.Thread(target=listen, daemon=True).start()
    loop.run()


if __name__ == "__main__":
    main()
