/* The platform's side of the Runtime API, as small as it can be, with a stopwatch.
 *
 *     server [options] --event FILE [--event FILE ...] -- COMMAND [ARGUMENT ...]
 *
 * Starts COMMAND with AWS_LAMBDA_RUNTIME_API set, serves it the events in turn, and prints one JSON object.
 * One thread, one connection at a time, one recv and one writev per message: what is left to measure is the
 * client. Clients that send `POST .../response` and `GET .../next` in one segment are served like clients that
 * send one after the other; the event is written only after the answer before it has been read.
 *
 * A chunked response is read and not kept.
 *
 * What the clock sees of one invocation:
 *
 *     t0  just before the event is handed to the kernel. Not after: on one core the client runs as soon as it
 *         is woken, and a later stamp would leave out what it did before we ran again.
 *     tf  the first bytes of the response's body have been read     first = tf - t0
 *     t1  the whole response has been read                          wall  = t1 - t0
 *     t0' the next event is about to be written                     cycle = t0' - t0
 */
#include "platform.h"

static long warmup = 200, count = 1000, sample_every;
static int coalesce, connection = -1;

/* --- what the client's process costs ----------------------------------------------------------------- */

static int64_t child_cpu_ns(void) {
#ifdef __linux__
    clockid_t clock; /* all threads, nanoseconds: /proc/PID/stat counts in steps of 10 ms */
    if (!clock_getcpuclockid(child, &clock)) return now_ns(clock);
#endif
    return -1;
}

static long status_kib(const char *field) {
    char path[64], line[256];
    snprintf(path, sizeof path, "/proc/%d/status", (int)child);
    FILE *file = fopen(path, "r");
    long kib = -1;
    if (!file) return -1;
    while (fgets(line, sizeof line, file))
        if (!strncmp(line, field, strlen(field))) kib = atol(line + strlen(field) + 1);
    fclose(file);
    return kib;
}

/* --- messages ---------------------------------------------------------------------------------------- */

static char *in;
static size_t in_size = 1 << 20, in_start, in_end;
static long connections, received_calls;

struct request {
    int is_next, is_error, close_after;
    int64_t first_ns; /* when the first byte of its body had come */
    size_t path_length, body_length;
    char path[256];
};

static void next_connection(void) {
    if (connection >= 0) close(connection);
    in_start = in_end = 0;
    do connection = accept(listener, NULL, NULL);
    while (connection < 0 && errno == EINTR && !child_ended);
    if (connection < 0) {
        int status = 0, error = errno;
        if (!child_ended) fail("accept: %s", strerror(error));
        waitpid(child, &status, 0);
        child = 0;
        if (WIFSIGNALED(status)) fail("the client was ended by signal %d", WTERMSIG(status));
        fail("the client ended with status %d", WEXITSTATUS(status));
    }
    int on = 1;
    setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct timeval patience = {.tv_sec = 2};
    setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    connections++;
}

/* More bytes into the buffer; 0 when the connection is over. */
static int receive(size_t wanted) {
    if (in_start == in_end) in_start = in_end = 0;
    if (in_size - in_start < wanted || in_end == in_size) {
        memmove(in, in + in_start, in_end - in_start);
        in_end -= in_start;
        in_start = 0;
        if (in_size < wanted || in_end == in_size) {
            while (in_size < wanted || in_end == in_size) in_size *= 2;
            in = realloc(in, in_size);
        }
    }
    for (;;) {
        ssize_t got = recv(connection, in + in_end, in_size - in_end, 0);
        received_calls++;
        if (got > 0) {
            in_end += got;
            return 1;
        }
        if (got < 0 && errno == EINTR) continue;
        if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            /* A client that opened a second connection and left the first one open waits for us there. */
            struct pollfd waiting = {.fd = listener, .events = POLLIN};
            if (poll(&waiting, 1, 0) != 1) continue;
        }
        return 0;
    }
}

static void send_all(struct iovec *parts, int number) {
    while (number) {
        ssize_t sent = writev(connection, parts, number);
        if (sent < 0) {
            if (errno == EINTR) continue;
            fail("the client closed its connection before it had read the answer");
        }
        while (number && (size_t)sent >= parts->iov_len) sent -= parts->iov_len, parts++, number--;
        if (number) parts->iov_base = (char *)parts->iov_base + sent, parts->iov_len -= sent;
    }
}

/* Read a chunked body and keep nothing of it: a stream may be longer than memory. 0 when the connection ended. */
static int skip_chunked(struct request *request) {
    for (;;) {
        char *stop = in_end > in_start ? memmem(in + in_start, in_end - in_start, "\r\n", 2) : NULL;
        if (!stop) {
            if (!receive(in_end - in_start + 1)) return 0;
            continue;
        }
        size_t left = strtoul(in + in_start, NULL, 16);
        in_start = stop + 2 - in;
        if (!left) break;
        request->body_length += left;
        for (left += 2; left;) { /* with the line's end behind it */
            if (in_start == in_end && !receive(1)) return 0;
            if (!request->first_ns) request->first_ns = now_ns(CLOCK_MONOTONIC);
            size_t some = in_end - in_start < left ? in_end - in_start : left;
            in_start += some;
            left -= some;
        }
    }
    for (;;) { /* trailers up to an empty line; a stream that failed half-way tells so in one */
        char *line = in + in_start;
        char *stop = in_end > in_start ? memmem(line, in_end - in_start, "\r\n", 2) : NULL;
        if (!stop) {
            if (!receive(in_end - in_start + 1)) return 0;
            continue;
        }
        in_start = stop + 2 - in;
        if (stop == line) return 1;
        request->is_error |= !strncasecmp(line, "lambda-runtime-function-error", 29);
    }
}

static int read_plain(struct request *request) {
    for (;;) {
        size_t there = in_end - in_start;
        if (there && !request->first_ns) request->first_ns = now_ns(CLOCK_MONOTONIC);
        if (there >= request->body_length) break;
        if (!receive(request->body_length)) return 0;
    }
    in_start += request->body_length;
    return 1;
}

/* The next whole request; 0 when the connection ended instead. Its bytes are consumed; a body that came with a
 * Content-Length stays readable until the following call. */
static int read_request(struct request *request) {
    char *stop;
    while (!(stop = in_end > in_start ? memmem(in + in_start, in_end - in_start, "\r\n\r\n", 4) : NULL))
        if (!receive(in_end - in_start + 1)) return 0;
    char *head = in + in_start, *end = stop + 4, *value;
    int is_get = head[0] == 'G', chunked;
    memset(request, 0, sizeof *request);
    char *path = memchr(head, ' ', end - head);
    if (!path) fail("not HTTP: %.60s", head);
    request->path_length = strcspn(++path, " \r\n");
    if (request->path_length >= sizeof request->path) fail("a path of %zu bytes", request->path_length);
    memcpy(request->path, path, request->path_length);
    request->close_after = (value = header(head, end, "connection")) && !strncasecmp(value, "close", 5);
    if ((value = header(head, end, "expect")) && !strncasecmp(value, "100", 3)) {
        struct iovec go_on = {(void *)"HTTP/1.1 100 Continue\r\n\r\n", 25};
        send_all(&go_on, 1);
    }
    chunked = (value = header(head, end, "transfer-encoding")) && !strncasecmp(value, "chunked", 7);
    if (!chunked && (value = header(head, end, "content-length"))) request->body_length = strtoul(value, NULL, 10);
    in_start = end - in;
    if (is_get) {
        request->is_next = request->path_length > 5 && !memcmp(request->path + request->path_length - 5, "/next", 5);
        if (!request->is_next) fail("unexpected GET %s", request->path);
        return 1;
    }
    if (!(chunked ? skip_chunked(request) : read_plain(request))) return 0;
    request->is_error |= request->path_length > 6 && !memcmp(request->path + request->path_length - 6, "/error", 6);
    if (strstr(request->path, "/init/error"))
        fail("the client reports an init error: %.*s", chunked ? 0 : (int)request->body_length,
             in + in_start - (chunked ? 0 : request->body_length));
    return 1;
}

/* --- the run ----------------------------------------------------------------------------------------- */

static const char usage[] =
    "usage: server [options] --event FILE [--event FILE ...] -- COMMAND [ARGUMENT ...]\n"
    "  --count N          invocations to measure (1000); 0: only the start is measured\n"
    "  --warmup N         invocations before them (200)\n"
    "  --core K           run client and server on this core (Linux)\n"
    "  --framing HOW      of events: auto (chunked above 2048 bytes, as Go does), length, chunked\n"
    "  --coalesce         answer a pipelined POST + GET in one write, not in two\n"
    "  --untraced         the trace header says that nobody records the trace\n"
    "  --sample-every N   record the client's resident memory every N invocations\n"
    "  --output FILE      where the client's output goes (/dev/null); - is stderr\n"
    "  --limit SECONDS    give up after this long (300)\n";

static char **read_options(int argc, char **argv) {
    static const struct option known[] = {
        {"event", 1, 0, 'e'},  {"count", 1, 0, 'n'},    {"warmup", 1, 0, 'w'},       {"core", 1, 0, 'k'},
        {"framing", 1, 0, 'f'}, {"coalesce", 0, 0, 'c'}, {"untraced", 0, 0, 'u'}, {"sample-every", 1, 0, 's'}, {"output", 1, 0, 'o'},
        {"limit", 1, 0, 'l'},  {0, 0, 0, 0},
    };
    const char *paths[MAX_EVENTS];
    int number = 0;
    for (int option; (option = getopt_long(argc, argv, "+", known, NULL)) != -1;) switch (option) {
            case 'e':
                if (number < MAX_EVENTS) paths[number++] = optarg;
                break;
            case 'n': count = atol(optarg); break;
            case 'w': warmup = atol(optarg); break;
            case 'k': core = atoi(optarg); break;
            case 'f': framing = optarg; break;
            case 'c': coalesce = 1; break;
            case 'u': sampled = '0'; break;
            case 's': sample_every = atol(optarg); break;
            case 'o': output_path = optarg; break;
            case 'l': limit_s = atoi(optarg); break;
            default: fputs(usage, stderr); exit(2);
        }
    if (!number || optind >= argc) {
        fputs(usage, stderr);
        exit(2);
    }
    for (int i = 0; i < number; i++) add_event(paths[i]); /* --framing may come after --event */
    return argv + optind;
}

int main(int argc, char **argv) {
    char **command = read_options(argc, argv);
    if (!count) warmup = 0;
    long total = warmup + count, number = -1, failures = 0;
    int64_t *wall = calloc(total + 1, sizeof *wall), *cycle = calloc(total + 1, sizeof *cycle);
    int64_t *first = calloc(total + 1, sizeof *first);
    long *series = calloc(sample_every ? total / sample_every + 2 : 1, sizeof *series), samples = 0;
    size_t response_bytes = 0;
    int64_t written = 0, began = 0, cpu_began = 0;
    struct rusage own_began, own_ended;
    struct request request;
    in = malloc(in_size);
    defaults();
    if (core >= 0) pin();
    listen_somewhere();
    int64_t started = now_ns(CLOCK_MONOTONIC);
    start_child(command);
    next_connection();

    while (!read_request(&request) || !request.is_next) next_connection();
    int64_t start_ns = now_ns(CLOCK_MONOTONIC) - started, start_cpu = child_cpu_ns();
    usleep(count ? 0 : 3000); /* until it waits, for a settled figure of its memory */
    long start_rss = status_kib("VmRSS");

    int answer_due = 0;
    for (;;) {
        if (request.is_next) {
            if (number + 1 == total) break;
            struct event *event = prepare(++number);
            int64_t now = now_ns(CLOCK_MONOTONIC);
            if (number == warmup) {
                began = now;
                cpu_began = child_cpu_ns();
                getrusage(RUSAGE_SELF, &own_began);
                now = now_ns(CLOCK_MONOTONIC);
            }
            if (number) cycle[number - 1] = now - written;
            written = now;
            struct iovec parts[] = {
                {accepted, answer_due ? sizeof accepted - 1 : 0},
                {event->head, event->head_length},
                {event->body, event->body_length},
            };
            send_all(answer_due ? parts : parts + 1, answer_due ? 3 : 2);
            answer_due = 0;
        } else {
            wall[number] = now_ns(CLOCK_MONOTONIC) - written;
            first[number] = (request.first_ns ? request.first_ns : written + wall[number]) - written;
            struct event *event = &events[number % event_count];
            if (!memmem(request.path, request.path_length, event->request_id - 24, 36))
                fail("answer to another invocation: %s", request.path);
            failures += request.is_error;
            response_bytes = request.body_length;
            answer_due = coalesce && in_end - in_start > 4 && !memcmp(in + in_start, "GET ", 4);
            if (!answer_due) {
                struct iovec part = {accepted, sizeof accepted - 1};
                send_all(&part, 1);
            }
            if (sample_every && (number + 1) % sample_every == 0) series[samples++] = status_kib("VmRSS");
        }
        if (request.close_after) next_connection();
        while (!read_request(&request)) next_connection();
    }

    int64_t ended = now_ns(CLOCK_MONOTONIC), cpu_ended = child_cpu_ns();
    getrusage(RUSAGE_SELF, &own_ended);
    if (answer_due) {
        struct iovec part = {accepted, sizeof accepted - 1};
        send_all(&part, 1);
    }
    if (count) {
        cycle[number] = ended - written;
        usleep(20000); /* let it settle in its recv before its memory is looked at */
    }
    printf("{\"invocations\": %ld, ", count);
    print_percentiles("wall_us", wall + warmup, count);
    print_percentiles("first_us", first + warmup, count);
    print_percentiles("cycle_us", cycle + warmup, count);
    if (count) {
        double own = (own_ended.ru_utime.tv_sec + own_ended.ru_stime.tv_sec - own_began.ru_utime.tv_sec -
                      own_began.ru_stime.tv_sec) * 1e6 +
                     (own_ended.ru_utime.tv_usec + own_ended.ru_stime.tv_usec - own_began.ru_utime.tv_usec -
                      own_began.ru_stime.tv_usec);
        printf("\"per_second\": %.1f, \"cpu_us\": ", count * 1e9 / (ended - began));
        if (cpu_ended >= 0)
            printf("%.2f, ", (cpu_ended - cpu_began) / 1e3 / count);
        else
            printf("null, ");
        printf("\"server_cpu_us\": %.2f, ", own / count);
    }
    printf("\"start_ms\": %.3f, \"start_cpu_ms\": %.3f, \"start_rss_kib\": %ld, ", start_ns / 1e6, start_cpu / 1e6,
           start_rss);
    printf("\"rss_kib\": %ld, \"peak_rss_kib\": %ld, ", status_kib("VmRSS"), status_kib("VmHWM"));
    if (sample_every) {
        printf("\"rss_series_kib\": [");
        for (long i = 0; i < samples; i++) printf("%s%ld", i ? ", " : "", series[i]);
        printf("], ");
    }
    printf("\"failures\": %ld, \"response_bytes\": %zu, \"connections\": %ld, \"receives\": %ld}\n", failures,
           response_bytes, connections, received_calls);
    signal(SIGCHLD, SIG_DFL);
    stop_child();
    return 0;
}
