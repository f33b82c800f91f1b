/* What the servers of the measurements share: the client's process, events, heads of messages, percentiles.
 *
 * Included by server.c (one connection) and crowd.c (many); everything is static, so each is one file to compile.
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

static int core = -1, limit_s = 300;
static char sampled = '1'; /* what the trace header says */
static const char *framing = "auto", *output_path = "/dev/null";

static pid_t child;
static int listener = -1;
static volatile sig_atomic_t child_ended;

static void stop_child(void) {
    if (child > 0) {
        kill(-child, SIGKILL); /* its workers too */
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
    if (child > 0) kill(-child, SIGKILL);
    _exit(1);
}

static int64_t now_ns(clockid_t clock) {
    struct timespec at;
    clock_gettime(clock, &at);
    return (int64_t)at.tv_sec * 1000000000 + at.tv_nsec;
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
        "Lambda-Runtime-Trace-Id: Root=1-5bef4de7-ad49b0e87f6e000000000000;Parent=9a9197af755a6419;Sampled=%c\r\n"
        "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
        "%s\r\n\r\n",
        sampled, frame);
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

/* --- heads of messages ----------------------------------------------------------------------------------- */

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

/* --- the client's process -------------------------------------------------------------------------------- */

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
    setpgid(child, child); /* on both sides, whichever comes first */
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
