/* The load generator: sends one request again and again over keep-alive connections, and counts what comes back.
 *
 *     load PORT FILE [--connections N] [--seconds S | --requests N] [--ramp S] [--events N] [--limit S] [--tls]
 *
 * FILE is the whole request, head and body. With --requests that many are sent in all, with --seconds as many as are
 * answered, or until SIGINT; --ramp spreads the connections' starts. --events is how many marked events each answer must hold. After
 * --limit seconds what is still missing counts as failed. One line of JSON on standard output for each phase: "open" when
 * every connection has had its first event (only where all requests run at once), "ending" when the first answer is over,
 * "done" with everything. */
#include "wire.h"
#include <signal.h>
#ifdef WITH_TLS
#include <openssl/ssl.h>
#endif

typedef struct {
    float *at;
    size_t count, room;
} Series;

typedef struct {
    int fd;
    enum { STARTING, CONNECTING, SENDING, HEAD_, BODY, IDLE } at;
    uint64_t start, began; /* when to connect; when the request was sent */
    size_t sent;
    Buffer head;
    int status, chunked, closes, has_length, heard, events, answers; /* answers: on this connection */
    size_t left;
    Chunks chunks;
    char carry[MARK_BYTES];
    size_t carried;
#ifdef WITH_TLS
    SSL *tls;
#endif
} Connection;

static int port, connections = 1, events_wanted, use_tls, epoll;
static long requests_most = -1, begun, finished, failed, refused, stale, opened;
static volatile double seconds = 1; /* set to 0 by SIGINT */
static double ramp, limit = 60;
static Buffer request;
static Connection *all;
static uint64_t started, now;
static uint64_t events_seen, events_lost, events_odd, body_bytes;
static Series first_ms, total_ms, delay_ms;
static int told_open, told_ending;
#ifdef WITH_TLS
static SSL_CTX *tls_context;
#endif

static void note(Series *s, double value) {
    if (s->count == s->room) s->at = realloc(s->at, (s->room = s->room ? s->room * 2 : 4096) * sizeof *s->at);
    s->at[s->count++] = (float)value;
}

static int by_size(const void *a, const void *b) {
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static void print_series(const char *name, Series *s) {
    qsort(s->at, s->count, sizeof *s->at, by_size);
    printf(", \"%s\": {", name);
    static const double shares[] = {50, 90, 99, 100};
    for (int i = 0; i < 4 && s->count; i++)
        printf("%s\"p%g\": %.3f", i ? ", " : "", shares[i], s->at[(size_t)((double)(s->count - 1) * shares[i] / 100)]);
    printf("}");
}

static void say(const char *phase) {
    printf("{\"phase\": \"%s\", \"seconds\": %.3f, \"requests\": %ld, \"failed\": %ld, \"refused\": %ld, \"stale\": %ld, \"events\": %llu, "
           "\"lost\": %llu, \"out_of_order\": %llu, \"body_bytes\": %llu",
           phase, (double)(now_ns() - started) / 1e9, finished, failed, refused, stale, (unsigned long long)events_seen,
           (unsigned long long)events_lost, (unsigned long long)events_odd, (unsigned long long)body_bytes);
    if (!strcmp(phase, "done"))
        print_series("first_ms", &first_ms), print_series("total_ms", &total_ms), print_series("delay_ms", &delay_ms);
    puts("}"), fflush(stdout);
}

/* The socket, with TLS or without: bytes, 0 at the end, -1 with EAGAIN when it must wait. */
#ifdef WITH_TLS
static ssize_t of_tls(Connection *c, int got) {
    if (got > 0) return got;
    int why = SSL_get_error(c->tls, got);
    errno = why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? EAGAIN : EIO;
    return why == SSL_ERROR_ZERO_RETURN ? 0 : -1;
}
#endif

static ssize_t read_some(Connection *c, void *data, size_t size) {
#ifdef WITH_TLS
    if (c->tls) return of_tls(c, SSL_read(c->tls, data, (int)size));
#endif
    return read(c->fd, data, size);
}

static ssize_t write_some(Connection *c, const void *data, size_t size) {
#ifdef WITH_TLS
    if (c->tls) return of_tls(c, SSL_write(c->tls, data, (int)size));
#endif
    return write(c->fd, data, size);
}

static void watch(Connection *c, uint32_t what) {
    epoll_ctl(epoll, EPOLL_CTL_MOD, c->fd, &(struct epoll_event){what, {c}});
}

static void disconnect(Connection *c) {
#ifdef WITH_TLS
    if (c->tls) SSL_free(c->tls), c->tls = NULL;
#endif
    if (c->fd >= 0) close(c->fd);
    c->fd = -1;
}

static int may_begin(void) {
    if (requests_most >= 0) return begun < requests_most;
    return (double)(now - started) < seconds * 1e9;
}

static void connect_up(Connection *c);

static void send_request(Connection *c) {
    while (c->sent < request.size) {
        ssize_t sent = write_some(c, request.data + c->sent, request.size - c->sent);
        if (sent < 0 && errno == EAGAIN) {
            watch(c, EPOLLIN | EPOLLOUT);
            return;
        }
        if (sent <= 0) return; /* the reading side tells what became of it */
        c->sent += (size_t)sent;
    }
    watch(c, EPOLLIN);
}

static void begin(Connection *c) {
    if (!may_begin()) {
        c->at = IDLE;
        disconnect(c);
        return;
    }
    begun++;
    c->head.size = 0;
    c->status = c->chunked = c->closes = c->has_length = c->heard = c->events = 0;
    c->left = c->carried = c->sent = 0;
    c->chunks = (Chunks){0};
    c->at = HEAD_;
    c->began = now_ns();
    send_request(c);
}

static void over(Connection *c, int whole) {
    uint64_t end = now_ns();
    if (!whole && c->answers && c->at == HEAD_ && !c->head.size) { /* a kept connection was closed: ask again, as clients do */
        stale++, begun--;
        disconnect(c);
        connect_up(c);
        return;
    }
    if (whole) finished++, c->answers++, note(&total_ms, (double)(end - c->began) / 1e6);
    else failed++;
    if (whole && c->status != 200) refused++;
    if (c->events < events_wanted) events_lost += (uint64_t)(events_wanted - c->events);
    if (!told_ending && connections == requests_most) told_ending = 1, say("ending");
    if (c->closes || !whole) {
        disconnect(c);
        c->start = 0;
        if (may_begin()) connect_up(c);
        else c->at = IDLE;
        return;
    }
    begin(c);
}

static void mark(Connection *c, const char *m) {
    if (m[NUMBER_DIGITS + 1] != ':' || m[MARK_BYTES - 1] != '~') {
        events_odd++;
        return;
    }
    uint64_t sent = read_digits(m + NUMBER_DIGITS + 2, TIME_DIGITS);
    if (read_digits(m + 1, NUMBER_DIGITS) != (uint64_t)c->events) events_odd++;
    c->events++, events_seen++;
    if (sent) note(&delay_ms, (double)(now - sent) / 1e6);
    if (!c->heard) {
        c->heard = 1;
        note(&first_ms, (double)(now - c->began) / 1e6);
        if (++opened == connections && !told_open && connections == requests_most) told_open = 1, say("open");
    }
}

static void body(void *with, const char *data, size_t size) {
    Connection *c = with;
    body_bytes += size;
    if (!events_wanted) {
        if (!c->heard) c->heard = 1, note(&first_ms, (double)(now - c->began) / 1e6);
        return;
    }
    while (size) {
        if (c->carried) { /* a mark that began in the read before */
            size_t more = MARK_BYTES - c->carried < size ? MARK_BYTES - c->carried : size;
            memcpy(c->carry + c->carried, data, more);
            c->carried += more, data += more, size -= more;
            if (c->carried < MARK_BYTES) return;
            c->carried = 0;
            mark(c, c->carry);
            continue;
        }
        const char *m = memchr(data, '~', size);
        if (!m) return;
        size -= (size_t)(m - data), data = m;
        if (size < MARK_BYTES) memcpy(c->carry, data, c->carried = size), size = 0;
        else mark(c, data), data += MARK_BYTES, size -= MARK_BYTES;
    }
}

/* The answer's head, once it is whole. */
static void read_head(Connection *c) {
    c->status = atoi(c->head.data + 9);
    char *length = strcasestr(c->head.data, "\r\ncontent-length:");
    c->has_length = length != NULL;
    c->left = length ? strtoull(length + 17, NULL, 10) : 0;
    c->chunked = strcasestr(c->head.data, "\r\ntransfer-encoding: chunked") != NULL;
    c->closes = strcasestr(c->head.data, "\r\nconnection: close") || (!c->has_length && !c->chunked);
    c->at = BODY;
}

static void take(Connection *c, const char *data, size_t size) {
    if (c->at == HEAD_) {
        size_t before = c->head.size;
        append(&c->head, data, size);
        append(&c->head, "", 1), c->head.size--;
        char *end = strstr(c->head.data + (before > 3 ? before - 3 : 0), "\r\n\r\n");
        if (!end) return;
        end[2] = 0;
        size_t used = (size_t)(end + 4 - c->head.data) - before;
        data += used, size -= used;
        read_head(c);
    }
    if (c->chunked) {
        int end = unchunk(&c->chunks, data, size, body, c);
        if (end) over(c, end > 0);
        return;
    }
    size_t mine = c->has_length && size > c->left ? c->left : size;
    body(c, data, mine);
    if (c->has_length && !(c->left -= mine)) over(c, 1);
}

static void receive(Connection *c) {
    static char part[262144];
    ssize_t got = read_some(c, part, sizeof part);
    now = now_ns();
    if (got > 0) {
        if (c->at == HEAD_ || c->at == BODY) take(c, part, (size_t)got);
#ifdef WITH_TLS
        while (c->fd >= 0 && c->tls && SSL_pending(c->tls) && (got = read_some(c, part, sizeof part)) > 0)
            take(c, part, (size_t)got);
#endif
    } else if (got == 0 || errno != EAGAIN)
        over(c, c->at == BODY && !c->chunked && !c->has_length);
}

static void shake(Connection *c) {
#ifdef WITH_TLS
    if (use_tls && !c->tls) {
        c->tls = SSL_new(tls_context);
        SSL_set_fd(c->tls, c->fd);
        SSL_set_connect_state(c->tls);
    }
    if (c->tls && SSL_do_handshake(c->tls) != 1) {
        watch(c, SSL_want_write(c->tls) ? EPOLLOUT : EPOLLIN);
        return;
    }
#endif
    begin(c);
}

static void connect_up(Connection *c) {
    struct sockaddr_in address = loopback(port);
    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    c->answers = 0;
    c->at = CONNECTING;
    make_fast(c->fd);
    epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &(struct epoll_event){EPOLLOUT, {c}});
    if (connect(c->fd, (struct sockaddr *)&address, sizeof address) && errno != EINPROGRESS) die("connect");
}

static void ready(Connection *c, uint32_t what) {
    if (c->at == CONNECTING) {
        int error = 0;
        socklen_t size = sizeof error;
        getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &size);
        if (error) {
            failed++, begun++;
            disconnect(c);
            c->at = IDLE;
        } else shake(c);
        return;
    }
    if (what & EPOLLOUT) send_request(c);
    if (what & ~EPOLLOUT && c->fd >= 0) receive(c);
}

static void options(int count, char **words) {
    if (count < 3) fprintf(stderr, "load PORT FILE [options]; see load.c\n"), exit(2);
    port = atoi(words[1]), request = read_file(words[2]);
    for (int i = 3; i < count; i++) {
        const char *name = words[i];
        if (!strcmp(name, "--tls")) {
            use_tls = 1;
            continue;
        }
        if (++i == count) fprintf(stderr, "%s needs a value\n", name), exit(2);
        double value = atof(words[i]);
        if (!strcmp(name, "--connections")) connections = (int)value;
        else if (!strcmp(name, "--requests")) requests_most = (long)value;
        else if (!strcmp(name, "--seconds")) seconds = value;
        else if (!strcmp(name, "--ramp")) ramp = value;
        else if (!strcmp(name, "--events")) events_wanted = (int)value;
        else if (!strcmp(name, "--limit")) limit = value;
        else fprintf(stderr, "unknown option %s\n", name), exit(2);
    }
}

static void enough(int number) {
    (void)number;
    seconds = 0;
}

int main(int count, char **words) {
    options(count, words);
    signal(SIGINT, enough);
#ifdef WITH_TLS
    tls_context = SSL_CTX_new(TLS_client_method()); /* it measures, on loopback: whom it talks to is not checked */
    SSL_CTX_set_mode(tls_context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
#else
    if (use_tls) return fprintf(stderr, "built without TLS\n"), 2;
#endif
    epoll = epoll_create1(0);
    all = calloc((size_t)connections, sizeof *all);
    started = now = now_ns();
    for (int i = 0; i < connections; i++)
        all[i].fd = -1, all[i].start = started + (uint64_t)(ramp * 1e9 * i / connections);
    int waiting = 0; /* the first connection that hasn't started yet */
    for (int busy = 1; busy;) {
        for (now = now_ns(); waiting < connections && all[waiting].start <= now; waiting++) connect_up(&all[waiting]);
        struct epoll_event events[256];
        int found = epoll_wait(epoll, events, 256, waiting < connections ? 1 : 100);
        for (int i = 0; i < found; i++) ready(events[i].data.ptr, events[i].events);
        busy = waiting < connections;
        for (int i = 0; i < waiting && !busy; i++) busy = all[i].at != IDLE;
        if ((double)(now_ns() - started) > limit * 1e9) {
            for (int i = 0; i < connections; i++)
                if (all[i].at != IDLE) all[i].answers = 0, over(&all[i], 0), all[i].at = IDLE;
            break;
        }
    }
    say("done");
    return 0;
}
