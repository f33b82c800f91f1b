/* The platform's side of the Runtime API, as small as it can be, with a stopwatch.
 *
 *     server [options] --event FILE [--event FILE ...] -- COMMAND [ARGUMENT ...]
 *
 * Starts COMMAND with AWS_LAMBDA_RUNTIME_API set, serves it the events in turn, and prints one JSON object.
 * One thread, one connection at a time, one recv and one writev per message: what is left to measure is the
 * client. Clients that send `POST .../response` and `GET .../next` in one segment are served like clients that
 * send one after the other; the event is written only after the answer before it has been read.
 *
 * What the clock sees of one invocation:
 *
 *     t0  just before the event is handed to the kernel. Not after: on one core the client runs as soon as it
 *         is woken, and a later stamp would leave out what it did before we ran again.
 *     t1  the whole response has been read                          wall  = t1 - t0
 *     t0' the next event is about to be written                     cycle = t0' - t0
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MAX_EVENTS = 64, HEAD_BYTES = 1024, ID_AT_END = 12 };
/* Go's HTTP server sends a body chunked once it outgrows the response's write buffer. */
enum { GO_BUFFER_BYTES = 2048 };

struct event {
    char *head; /* template, its variable fields are patched in place */
    size_t head_length;
    char *request_id, *invocation_id, *deadline, *trace_root, *date; /* into head */
    char *body; /* as it goes over the wire: plain or already chunked */
    size_t body_length;
};

static struct event events[MAX_EVENTS];
static int event_count;

static long warmup = 200, count = 1000, sample_every;
static int core = -1, coalesce, limit_s = 300;
static const char *framing = "auto", *output_path = "/dev/null";

static pid_t child;
static int listener = -1, connection = -1;
static volatile sig_atomic_t child_ended;

static void stop_child(void) {
    if (child > 0) {
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        child = 0;
    }
}

static void fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("bench server: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    stop_child();
    exit(1);
}

static void on_child(int number) {
    (void)number;
    child_ended = 1;
    /* Wakes an accept() that would otherwise wait for a client that is no more. */
    shutdown(listener, SHUT_RDWR);
}

static void on_alarm(int number) {
    (void)number;
    static const char text[] = "bench server: time limit reached, the client is stuck\n";
    if (write(2, text, sizeof text - 1)) {
    }
    if (child > 0) kill(child, SIGKILL);
    _exit(1);
}

static int64_t now_ns(clockid_t clock) {
    struct timespec at;
    clock_gettime(clock, &at);
    return (int64_t)at.tv_sec * 1000000000 + at.tv_nsec;
}

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

/* --- events ------------------------------------------------------------------------------------------ */

static char *read_file(const char *path, size_t *length) {
    int file = open(path, O_RDONLY);
    struct stat about;
    if (file < 0 || fstat(file, &about)) fail("cannot read %s: %s", path, strerror(errno));
    char *bytes = malloc(about.st_size + 1);
    for (*length = 0; *length < (size_t)about.st_size;) {
        ssize_t got = read(file, bytes + *length, about.st_size - *length);
        if (got <= 0) fail("cannot read %s", path);
        *length += got;
    }
    close(file);
    return bytes;
}

static void add_event(const char *path) {
    if (event_count == MAX_EVENTS) fail("no more than %d events", MAX_EVENTS);
    struct event *event = &events[event_count++];
    size_t length;
    char *body = read_file(path, &length);
    char frame[64];
    int chunked = !strcmp(framing, "chunked") || (!strcmp(framing, "auto") && length > GO_BUFFER_BYTES);
    if (chunked) {
        char *encoded = malloc(length + 64);
        int at = sprintf(encoded, "%zx\r\n", length);
        memcpy(encoded + at, body, length);
        memcpy(encoded + at + length, "\r\n0\r\n\r\n", 7);
        event->body = encoded;
        event->body_length = at + length + 7;
        strcpy(frame, "Transfer-Encoding: chunked");
        free(body);
    } else {
        event->body = body;
        event->body_length = length;
        snprintf(frame, sizeof frame, "Content-Length: %zu", length);
    }
    event->head = malloc(HEAD_BYTES);
    event->head_length = snprintf(
        event->head, HEAD_BYTES,
        "HTTP/1.1 200 OK\r\n"
        "Content-Type: application/json\r\n"
        "Lambda-Runtime-Aws-Request-Id: 8476a536-e9f4-11e8-9739-000000000000\r\n"
        "Lambda-Runtime-Deadline-Ms: 0000000000000\r\n"
        "Lambda-Runtime-Invocation-Id: 5f0b1f6c-70c5-4b0e-9d51-000000000000\r\n"
        "Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:us-east-1:123456789012:function:bench:$LATEST\r\n"
        "Lambda-Runtime-Trace-Id: Root=1-5bef4de7-ad49b0e87f6e000000000000;Parent=9a9197af755a6419;Sampled=1\r\n"
        "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
        "%s\r\n\r\n",
        frame);
    event->request_id = strstr(event->head, "Request-Id: ") + 12 + 24;
    event->invocation_id = strstr(event->head, "Invocation-Id: ") + 15 + 24;
    event->deadline = strstr(event->head, "Deadline-Ms: ") + 13;
    event->trace_root = strstr(event->head, "ad49b0e87f6e") + 12;
    event->date = strstr(event->head, "Date: ") + 6;
}

static void put_digits(char *at, int width, uint64_t number, unsigned base) {
    while (width--) {
        at[width] = "0123456789abcdef"[number % base];
        number /= base;
    }
}

static void put_date(char *at, time_t second) {
    char text[32];
    struct tm parts;
    gmtime_r(&second, &parts);
    strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts);
    memcpy(at, text, 29);
}

static char accepted[] =
    "HTTP/1.1 202 Accepted\r\n"
    "Content-Type: application/json\r\n"
    "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
    "Content-Length: 16\r\n\r\n"
    "{\"status\":\"OK\"}\n";

static struct event *prepare(long number) {
    static time_t second;
    struct event *event = &events[number % event_count];
    int64_t ms = now_ns(CLOCK_REALTIME) / 1000000;
    put_digits(event->request_id, ID_AT_END, number, 16);
    put_digits(event->invocation_id, ID_AT_END, number, 16);
    put_digits(event->trace_root, ID_AT_END, number, 16);
    put_digits(event->deadline, 13, ms + 3000, 10);
    if (ms / 1000 != second) {
        second = ms / 1000;
        put_date(strstr(accepted, "Date: ") + 6, second);
        for (int i = 0; i < event_count; i++) put_date(events[i].date, second);
    }
    return event;
}

/* --- messages ---------------------------------------------------------------------------------------- */

static char *in;
static size_t in_size = 1 << 20, in_start, in_end;
static long connections, received_calls;

struct request {
    int is_next, is_error, close_after;
    char *path;
    size_t path_length, body_length;
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

/* The value of a header in a head that ends in an empty line, or NULL. */
static char *header(char *head, char *end, const char *name) {
    size_t length = strlen(name);
    for (char *line = memchr(head, '\n', end - head); line && line + length + 2 < end;
         line = memchr(line + 1, '\n', end - line - 1))
        if (line[length + 1] == ':' && !strncasecmp(line + 1, name, length)) {
            char *value = line + length + 2;
            while (*value == ' ' || *value == '\t') value++;
            return value;
        }
    return NULL;
}

/* Read a chunked body that begins `offset` bytes after in_start; return the offset behind it. */
static size_t skip_chunked(size_t offset, size_t *body_length) {
    for (;;) {
        char *from = in + in_start + offset;
        char *line_end = memmem(from, in + in_end - from, "\r\n", 2);
        if (!line_end) {
            if (!receive(in_end - in_start + 1)) return 0;
            continue;
        }
        size_t size = strtoul(from, NULL, 16), data = line_end + 2 - (in + in_start);
        if (size) {
            while (in_end - in_start < data + size + 2)
                if (!receive(data + size + 64)) return 0;
            *body_length += size;
            offset = data + size + 2;
            continue;
        }
        for (;;) { /* trailers up to an empty line */
            char *line = in + in_start + data;
            char *stop = memmem(line, in + in_end - line, "\r\n", 2);
            if (!stop) {
                if (!receive(in_end - in_start + 1)) return 0;
                continue;
            }
            data = stop + 2 - (in + in_start);
            if (stop == line) return data;
        }
    }
}

/* The next whole request; 0 when the connection ended instead. Its bytes are consumed, and stay readable
 * until the following call. */
static int read_request(struct request *request) {
    char *stop;
    while (!(stop = in_end > in_start ? memmem(in + in_start, in_end - in_start, "\r\n\r\n", 4) : NULL))
        if (!receive(in_end - in_start + 1)) return 0;
    char *head = in + in_start, *end = stop + 4, *value;
    size_t offset = end - head;
    memset(request, 0, sizeof *request);
    request->close_after = (value = header(head, end, "connection")) && !strncasecmp(value, "close", 5);
    if ((value = header(head, end, "expect")) && !strncasecmp(value, "100", 3)) {
        struct iovec go_on = {(void *)"HTTP/1.1 100 Continue\r\n\r\n", 25};
        send_all(&go_on, 1);
    }
    if ((value = header(head, end, "transfer-encoding")) && !strncasecmp(value, "chunked", 7)) {
        if (!(offset = skip_chunked(offset, &request->body_length))) return 0;
    } else if ((value = header(head, end, "content-length"))) {
        request->body_length = strtoul(value, NULL, 10);
        while (in_end - in_start < offset + request->body_length)
            if (!receive(offset + request->body_length)) return 0;
        offset += request->body_length;
    }
    head = in + in_start; /* the buffer may have moved meanwhile */
    request->path = memchr(head, ' ', offset);
    if (!request->path) fail("not HTTP: %.60s", head);
    request->path++;
    request->path_length = strcspn(request->path, " \r\n");
    in_start += offset;
    if (head[0] == 'G') {
        request->is_next = request->path_length > 5 && !memcmp(request->path + request->path_length - 5, "/next", 5);
        if (!request->is_next) fail("unexpected GET %.*s", (int)request->path_length, request->path);
    } else {
        request->is_error = !memcmp(request->path + request->path_length - 6, "/error", 6);
        if (memmem(request->path, request->path_length, "/init/error", 11))
            fail("the client reports an init error: %.*s", (int)request->body_length,
                 in + in_start - request->body_length);
    }
    return 1;
}

/* --- figures ----------------------------------------------------------------------------------------- */

static int by_value(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void print_percentiles(const char *name, int64_t *samples, long number) {
    if (!number) {
        printf("\"%s\": null, ", name);
        return;
    }
    qsort(samples, number, sizeof *samples, by_value);
    printf("\"%s\": {\"p50\": %.2f, \"p99\": %.2f, \"min\": %.2f}, ", name, samples[number / 2] / 1e3,
           samples[number * 99 / 100] / 1e3, samples[0] / 1e3);
}

/* --- the run ----------------------------------------------------------------------------------------- */

static void listen_somewhere(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    char text[32];
    listener = socket(AF_INET, SOCK_STREAM, 0);
    fcntl(listener, F_SETFD, FD_CLOEXEC);
    if (bind(listener, (struct sockaddr *)&address, length) || listen(listener, 16) ||
        getsockname(listener, (struct sockaddr *)&address, &length))
        fail("cannot listen: %s", strerror(errno));
    snprintf(text, sizeof text, "127.0.0.1:%d", ntohs(address.sin_port));
    setenv("AWS_LAMBDA_RUNTIME_API", text, 1);
}

static void start_child(char **command) {
    signal(SIGPIPE, SIG_IGN);
    struct sigaction ended = {.sa_handler = on_child, .sa_flags = SA_NOCLDSTOP};
    struct sigaction late = {.sa_handler = on_alarm};
    sigaction(SIGCHLD, &ended, NULL);
    sigaction(SIGALRM, &late, NULL);
    alarm(limit_s);
    child = fork();
    if (child < 0) fail("cannot fork: %s", strerror(errno));
    if (child) return;
    signal(SIGPIPE, SIG_DFL);
    int null = open("/dev/null", O_RDONLY);
    dup2(null, 0);
    if (strcmp(output_path, "-")) {
        int output = open(output_path, O_WRONLY | O_CREAT | O_APPEND, 0644);
        dup2(output, 1);
        dup2(output, 2);
    } else {
        dup2(2, 1); /* our own stdout carries the figures */
    }
    execvp(command[0], command);
    fprintf(stderr, "bench server: cannot start %s: %s\n", command[0], strerror(errno));
    _exit(127);
}

static void pin(void) {
#ifdef __linux__
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(core, &set);
    if (sched_setaffinity(0, sizeof set, &set)) fail("cannot pin to core %d: %s", core, strerror(errno));
#endif
}

static void defaults(void) {
    static const char *const pairs[][2] = {
        {"AWS_LAMBDA_FUNCTION_NAME", "bench"},
        {"AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"},
        {"AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "1024"},
        {"AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/bench"},
        {"AWS_LAMBDA_LOG_STREAM_NAME", "2026/01/01/[$LATEST]0123456789abcdef0123456789abcdef"},
        {"AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"},
        {"AWS_REGION", "us-east-1"},
        {"AWS_DEFAULT_REGION", "us-east-1"},
        {"TZ", ":UTC"},
        {"LANG", "en_US.UTF-8"},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) setenv(pairs[i][0], pairs[i][1], 0);
}

static const char usage[] =
    "usage: server [options] --event FILE [--event FILE ...] -- COMMAND [ARGUMENT ...]\n"
    "  --count N          invocations to measure (1000); 0: only the start is measured\n"
    "  --warmup N         invocations before them (200)\n"
    "  --core K           run client and server on this core (Linux)\n"
    "  --framing HOW      of events: auto (chunked above 2048 bytes, as Go does), length, chunked\n"
    "  --coalesce         answer a pipelined POST + GET in one write, not in two\n"
    "  --sample-every N   record the client's resident memory every N invocations\n"
    "  --output FILE      where the client's output goes (/dev/null); - is stderr\n"
    "  --limit SECONDS    give up after this long (300)\n";

static char **read_options(int argc, char **argv) {
    static const struct option known[] = {
        {"event", 1, 0, 'e'},  {"count", 1, 0, 'n'},    {"warmup", 1, 0, 'w'},       {"core", 1, 0, 'k'},
        {"framing", 1, 0, 'f'}, {"coalesce", 0, 0, 'c'}, {"sample-every", 1, 0, 's'}, {"output", 1, 0, 'o'},
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
            struct event *event = &events[number % event_count];
            if (!memmem(request.path, request.path_length, event->request_id - 24, 36))
                fail("answer to another invocation: %.*s", (int)request.path_length, request.path);
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
