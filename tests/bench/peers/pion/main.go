// A small relay on Pion, as its own examples show one: RTP from a UDP port into one TrackLocalStaticRTP,
// WHEP over HTTP, one UDP port for all viewers, Pion's default interceptors. It exists to be measured.
//
//	pion-relay -address 127.0.0.1 -rtp 5600 -http 8080 -webrtc 8189
//	pion-relay -version
//
// scripts/bench-relay-setup also builds it with Debian's Go 1.19 and Pion 3, by rewriting the import paths: it
// keeps to what both have.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"

	"github.com/pion/dtls/v3"
	"github.com/pion/interceptor"
	"github.com/pion/webrtc/v4"
)

const (
	maxOfferBytes  = 64 << 10
	receiveBuffer  = 4 << 20
	videoPayload   = 96
	sessionsPrefix = "/whep/"
)

// Which Pion this is and where it came from; the linker is told by scripts/bench-relay-setup.
var version, origin = "unknown", "built by hand"

func main() {
	address := flag.String("address", "127.0.0.1", "address of all three ports")
	rtpPort := flag.Int("rtp", 5600, "UDP port of the RTP source")
	httpPort := flag.Int("http", 8080, "TCP port of WHEP")
	webrtcPort := flag.Int("webrtc", 8189, "UDP port of all viewers")
	asked := flag.Bool("version", false, "say which Pion this is, and end")
	flag.Parse()
	if *asked {
		fmt.Printf("%s (%s, %s)\n", version, origin, runtime.Version())
		return
	}

	ip := net.ParseIP(*address)
	api, err := newAPI(ip, *webrtcPort)
	if err != nil {
		log.Fatal(err)
	}
	track, err := webrtc.NewTrackLocalStaticRTP(h264(), "video", "bench")
	if err != nil {
		log.Fatal(err)
	}
	source, err := net.ListenUDP("udp4", &net.UDPAddr{IP: ip, Port: *rtpPort})
	if err != nil {
		log.Fatal(err)
	}
	go feed(source, track)

	relay := &relay{api: api, track: track, sessions: map[string]*webrtc.PeerConnection{}}
	http.HandleFunc("/whep", only(http.MethodPost, relay.join))
	http.HandleFunc(sessionsPrefix, only(http.MethodDelete, relay.leave))
	log.Fatal(http.ListenAndServe(fmt.Sprintf("%s:%d", *address, *httpPort), nil))
}

// only stands in for the methods in ServeMux's patterns, which came with Go 1.22.
func only(method string, handle http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, request *http.Request) {
		if request.Method != method {
			http.Error(w, "use "+method, http.StatusMethodNotAllowed)
			return
		}
		handle(w, request)
	}
}

func h264() webrtc.RTPCodecCapability {
	return webrtc.RTPCodecCapability{
		MimeType:    webrtc.MimeTypeH264,
		ClockRate:   90000,
		SDPFmtpLine: "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f",
		RTCPFeedback: []webrtc.RTCPFeedback{
			{Type: "nack"}, {Type: "nack", Parameter: "pli"}, {Type: "ccm", Parameter: "fir"}, {Type: "goog-remb"},
		},
	}
}

// newAPI sets up what all viewers share. AES-128-GCM is preferred and, as DTLS server, also chosen here, so
// that every relay under test protects with the same cipher where the viewer has it. (Pion 3 goes by the
// viewer's order: the bench's own viewers take one profile only.)
func newAPI(ip net.IP, port int) (*webrtc.API, error) {
	media := &webrtc.MediaEngine{}
	codec := webrtc.RTPCodecParameters{RTPCodecCapability: h264(), PayloadType: videoPayload}
	if err := media.RegisterCodec(codec, webrtc.RTPCodecTypeVideo); err != nil {
		return nil, err
	}
	interceptors := &interceptor.Registry{}
	if err := webrtc.RegisterDefaultInterceptors(media, interceptors); err != nil {
		return nil, err
	}
	socket, err := net.ListenUDP("udp4", &net.UDPAddr{IP: ip, Port: port})
	if err != nil {
		return nil, err
	}
	if err := socket.SetReadBuffer(receiveBuffer); err != nil {
		return nil, err
	}
	if err := socket.SetWriteBuffer(receiveBuffer); err != nil {
		return nil, err
	}
	settings := webrtc.SettingEngine{}
	settings.SetLite(true)
	settings.SetICEUDPMux(webrtc.NewICEUDPMux(nil, socket))
	settings.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
	settings.SetIncludeLoopbackCandidate(ip.IsLoopback())
	settings.SetSRTPProtectionProfiles(dtls.SRTP_AEAD_AES_128_GCM, dtls.SRTP_AES128_CM_HMAC_SHA1_80)
	if err := settings.SetAnsweringDTLSRole(webrtc.DTLSRoleServer); err != nil {
		return nil, err
	}
	return webrtc.NewAPI(
		webrtc.WithMediaEngine(media),
		webrtc.WithInterceptorRegistry(interceptors),
		webrtc.WithSettingEngine(settings),
	), nil
}

// feed hands every RTP packet to the track, which sends it to each of its viewers.
func feed(source *net.UDPConn, track *webrtc.TrackLocalStaticRTP) {
	if err := source.SetReadBuffer(receiveBuffer); err != nil {
		log.Print(err)
	}
	packet := make([]byte, 1600)
	for {
		n, err := source.Read(packet)
		if err != nil {
			log.Fatal(err)
		}
		if n < 12 || packet[1] >= 192 && packet[1] <= 223 { // RFC 5761 4: RTCP on the same port
			continue
		}
		if _, err := track.Write(packet[:n]); err != nil && !errors.Is(err, io.ErrClosedPipe) {
			log.Print(err)
		}
	}
}

type relay struct {
	api   *webrtc.API
	track *webrtc.TrackLocalStaticRTP

	mutex    sync.Mutex
	next     int
	sessions map[string]*webrtc.PeerConnection
}

func (r *relay) join(w http.ResponseWriter, request *http.Request) {
	offer, err := io.ReadAll(http.MaxBytesReader(w, request.Body, maxOfferBytes))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	viewer, answer, err := r.answer(string(offer))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/sdp")
	w.Header().Set("Location", sessionsPrefix+r.keep(viewer))
	w.WriteHeader(http.StatusCreated)
	_, _ = io.WriteString(w, answer)
}

func (r *relay) answer(offer string) (viewer *webrtc.PeerConnection, answer string, err error) {
	viewer, err = r.api.NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		return nil, "", err
	}
	defer func() {
		if err != nil {
			_ = viewer.Close()
		}
	}()
	sender, err := viewer.AddTrack(r.track)
	if err != nil {
		return nil, "", err
	}
	err = viewer.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: offer})
	if err != nil {
		return nil, "", err
	}
	local, err := viewer.CreateAnswer(nil)
	if err != nil {
		return nil, "", err
	}
	gathered := webrtc.GatheringCompletePromise(viewer)
	if err = viewer.SetLocalDescription(local); err != nil {
		return nil, "", err
	}
	<-gathered
	go readFeedback(sender)
	return viewer, viewer.LocalDescription().SDP, nil
}

// readFeedback lets the interceptors see the viewer's RTCP: they answer its NACKs.
func readFeedback(sender *webrtc.RTPSender) {
	packet := make([]byte, 1600)
	for {
		if _, _, err := sender.Read(packet); err != nil {
			return
		}
	}
}

func (r *relay) keep(viewer *webrtc.PeerConnection) string {
	r.mutex.Lock()
	r.next++
	id := fmt.Sprint(r.next)
	r.sessions[id] = viewer
	r.mutex.Unlock()
	viewer.OnConnectionStateChange(func(state webrtc.PeerConnectionState) {
		if state == webrtc.PeerConnectionStateFailed || state == webrtc.PeerConnectionStateClosed {
			r.drop(id)
		}
	})
	return id
}

func (r *relay) leave(w http.ResponseWriter, request *http.Request) {
	r.drop(strings.TrimPrefix(request.URL.Path, sessionsPrefix))
	w.WriteHeader(http.StatusOK)
}

func (r *relay) drop(id string) {
	r.mutex.Lock()
	viewer := r.sessions[id]
	delete(r.sessions, id)
	r.mutex.Unlock()
	if viewer != nil {
		_ = viewer.Close()
	}
}
