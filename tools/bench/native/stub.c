/* The stub upstream: answers every request for a model with that model's file.
 *
 *     stub PORT MODEL=FILE[@PACE_MS] ...
 *
 * The model is the one the path names (/models/MODEL:) or else the body's "model". A FILE ending in .sse is a stream: one
 * chunk an event, all at once, or with PACE_MS one event every so many milliseconds, each stamped when it is sent. Any other
 * FILE is a JSON answer with a length. Keep-alive always, requests are not pipelined. Says "ready" when it listens. */
#include "wire.h"

#define PEEK 65536 /* bytes of a body in which the model is looked for */
#define ANSWERS 32

typedef struct Connection Connection;

typedef struct {
    const char *model;
    int stream, events;
    uint64_t pace;    /* ns, 0: all at once */
    Buffer whole;     /* head and body, as sent */
    Buffer *event;    /* of a paced stream: what is sent at once */
    Connection *first, *last; /* streams that wait for their next event: all have the same pace, so in order */
} Answer;

struct Connection {
    int fd, in_body;
    Buffer head;      /* the head, then the body's first PEEK bytes */
    size_t head_bytes, body_left;
    int chunked;
    Chunks chunks;
    Answer *answer;   /* being sent */
    int number;       /* of the next event */
    uint64_t due;
    const char *out;  /* not yet taken by the socket */
    size_t out_left;
    char stamped[4096];
    Connection *next;
    int waits;
};

static Answer answers[ANSWERS];
static int answer_count, epoll;

static const char *STREAM_HEAD =
    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";

static void chunk(Buffer *into, const char *data, size_t size) {
    char line[32];
    append(into, line, (size_t)snprintf(line, sizeof line, "%zx\r\n", size));
    append(into, data, size);
    append(into, "\r\n", 2);
}

static void prepare(Answer *a, char *spec) {
    char *path = strchr(spec, '=');
    if (!path) die("MODEL=FILE");
    *path++ = 0;
    char *pace = strchr(path, '@');
    if (pace) *pace++ = 0, a->pace = (uint64_t)atoi(pace) * 1000000;
    a->model = spec;
    Buffer file = read_file(path);
    a->stream = strlen(path) > 4 && !strcmp(path + strlen(path) - 4, ".sse");
    if (!a->stream) {
        char head[128];
        append(&a->whole, head, (size_t)snprintf(head, sizeof head,
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %zu\r\n\r\n", file.size));
        append(&a->whole, file.data, file.size);
        return;
    }
    append(&a->whole, STREAM_HEAD, strlen(STREAM_HEAD));
    int marked = 1; /* the one before: events without a mark go with the next that has one, or with the end */
    for (char *p = file.data, *end; (end = strstr(p, "\n\n")); p = end + 2) {
        size_t size = (size_t)(end + 2 - p);
        chunk(&a->whole, p, size);
        if (marked) {
            a->event = realloc(a->event, (size_t)(a->events + 1) * sizeof *a->event);
            a->event[a->events++] = (Buffer){0};
        }
        chunk(&a->event[a->events - 1], p, size);
        marked = memchr(p, '~', size) != NULL;
    }
    append(&a->whole, "0\r\n\r\n", 5);
    append(&a->event[a->events - 1], "0\r\n\r\n", 5);
}

static void leave_queue(Connection *c) {
    Answer *a = c->answer;
    if (!c->waits) return;
    Connection **at = &a->first, *before = NULL;
    while (*at != c) before = *at, at = &(*at)->next;
    *at = c->next;
    if (a->last == c) a->last = before;
    c->waits = 0;
}

static void hang_up(Connection *c) {
    leave_queue(c);
    close(c->fd);
    free(c->head.data);
    free(c);
}

static void wait_until(Connection *c, uint64_t due) {
    Answer *a = c->answer;
    c->due = due, c->next = NULL, c->waits = 1;
    if (a->first) a->last->next = c;
    else a->first = c;
    a->last = c;
}

/* Hands `out` to the socket; 0 when the connection is gone and freed. */
static int push(Connection *c) {
    while (c->out_left) {
        ssize_t sent = write(c->fd, c->out, c->out_left);
        if (sent < 0 && errno == EAGAIN) {
            epoll_ctl(epoll, EPOLL_CTL_MOD, c->fd, &(struct epoll_event){EPOLLIN | EPOLLOUT, {c}});
            return 1;
        }
        if (sent < 0) return hang_up(c), 0;
        c->out += sent, c->out_left -= (size_t)sent;
    }
    return 1;
}

static int send_event(Connection *c) {
    Answer *a = c->answer;
    if (!c->out_left) { /* else the reader is slow: this event waits for the next turn */
        Buffer *e = &a->event[c->number++];
        size_t head = c->number == 1 ? strlen(STREAM_HEAD) : 0;
        if (head + e->size > sizeof c->stamped) die("an event is too large to be stamped");
        memcpy(c->stamped, STREAM_HEAD, head);
        memcpy(c->stamped + head, e->data, e->size);
        char *mark = memchr(c->stamped + head, '~', e->size);
        if (mark) write_digits(mark + NUMBER_DIGITS + 2, TIME_DIGITS, now_ns());
        c->out = c->stamped, c->out_left = head + e->size;
    }
    if (c->number < a->events) wait_until(c, (c->due ? c->due : now_ns()) + a->pace);
    return push(c);
}

static Answer *choose(Connection *c) {
    char *at = strstr(c->head.data, "/models/"), *line_end = strchr(c->head.data, '\n');
    if (at && at < line_end) at += 8;
    else if ((at = strstr(c->head.data + c->head_bytes, "\"model\"")))
        at += 7, at += strspn(at, " :"), at += *at == '"';
    size_t size = at ? strcspn(at, "\":? ") : 0;
    for (int i = 0; at && i < answer_count; i++)
        if (strlen(answers[i].model) == size && !memcmp(answers[i].model, at, size)) return &answers[i];
    return NULL;
}

static int answer(Connection *c) {
    static const char unknown[] = "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n";
    append(&c->head, "", 1);
    c->answer = choose(c);
    c->head.size = 0, c->in_body = 0, c->number = 0, c->due = 0;
    if (c->head.room > PEEK) free(c->head.data), c->head = (Buffer){0};
    if (c->answer && c->answer->stream && c->answer->pace) return send_event(c);
    c->out = c->answer ? c->answer->whole.data : unknown;
    c->out_left = c->answer ? c->answer->whole.size : strlen(unknown);
    return push(c);
}

static void peek(void *with, const char *data, size_t size) {
    Connection *c = with;
    size_t room = c->head.size - c->head_bytes < PEEK ? PEEK - (c->head.size - c->head_bytes) : 0;
    append(&c->head, data, size < room ? size : room);
}

static int take(Connection *c, const char *data, size_t size) {
    if (!c->in_body) {
        size_t before = c->head.size;
        append(&c->head, data, size);
        append(&c->head, "", 1), c->head.size--;
        char *end = strstr(c->head.data + (before > 3 ? before - 3 : 0), "\r\n\r\n");
        if (!end) return 1;
        c->head_bytes = (size_t)(end + 4 - c->head.data);
        data += c->head_bytes - before, size -= c->head_bytes - before;
        c->head.size = c->head_bytes;
        *end = 0;
        char *length = strcasestr(c->head.data, "\r\ncontent-length:");
        c->chunked = strcasestr(c->head.data, "\r\ntransfer-encoding:") != NULL;
        c->body_left = length ? strtoull(length + 17, NULL, 10) : 0;
        c->in_body = 1, c->chunks = (Chunks){0};
    }
    if (c->chunked) {
        int end = unchunk(&c->chunks, data, size, peek, c);
        return end < 0 ? (hang_up(c), 0) : end ? answer(c) : 1;
    }
    peek(c, data, size);
    c->body_left -= size;
    return c->body_left ? 1 : answer(c);
}

static void ready(Connection *c, uint32_t what) {
    static char part[262144];
    if (what & EPOLLOUT) {
        epoll_ctl(epoll, EPOLL_CTL_MOD, c->fd, &(struct epoll_event){EPOLLIN, {c}});
        if (!push(c)) return;
    }
    if (what & ~EPOLLOUT) {
        ssize_t got = read(c->fd, part, sizeof part);
        if (got > 0) take(c, part, (size_t)got);
        else if (got == 0 || errno != EAGAIN) hang_up(c);
    }
}

/* Sends what is due; returns how many ms there are until the next event. */
static int tick(void) {
    uint64_t next = UINT64_MAX;
    for (Answer *a = answers; a < answers + answer_count; a++) {
        for (uint64_t now = now_ns(); a->first && a->first->due <= now;) {
            Connection *c = a->first;
            leave_queue(c);
            send_event(c);
        }
        if (a->first && a->first->due < next) next = a->first->due;
    }
    uint64_t now = now_ns();
    return next == UINT64_MAX ? -1 : next <= now ? 0 : (int)((next - now) / 1000000 + 1);
}

int main(int count, char **words) {
    if (count < 3 || count > ANSWERS + 2) return fprintf(stderr, "stub PORT MODEL=FILE[@PACE_MS] ...\n"), 2;
    for (char **spec = words + 2; *spec; spec++) prepare(&answers[answer_count++], *spec);
    int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    struct sockaddr_in address = loopback(atoi(words[1]));
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 4096)) die("listen");
    make_fast(listener);
    epoll = epoll_create1(0);
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &(struct epoll_event){EPOLLIN, {NULL}});
    puts("ready"), fflush(stdout);
    for (struct epoll_event events[256];;) {
        int found = epoll_wait(epoll, events, 256, tick());
        for (int i = 0; i < found; i++) {
            if (events[i].data.ptr) {
                ready(events[i].data.ptr, events[i].events);
                continue;
            }
            for (int fd; (fd = accept(listener, NULL, NULL)) >= 0;) {
                Connection *c = calloc(1, sizeof *c);
                c->fd = fd;
                make_fast(fd);
                epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &(struct epoll_event){EPOLLIN, {c}});
            }
        }
    }
}
