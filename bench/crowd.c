/* The platform's side of the Runtime API for a runtime that serves many invocations at once, with a stopwatch.
 *
 *     crowd [options] --connections N --event FILE [--event FILE ...] -- COMMAND [ARGUMENT ...]
 *
 * Starts COMMAND with AWS_LAMBDA_RUNTIME_API and AWS_LAMBDA_MAX_CONCURRENCY set, waits until N connections ask for an
 * event, then answers every /next at once until the events are used up: N invocations are under way at any time.
 * One thread, one epoll, one recv per message: what is left to measure is the client, all of its processes together.
 * Memory is the sum of their proportional shares (PSS), so a page that N processes share counts once.
 */
#include "platform.h"

#include <dirent.h>
#include <sys/epoll.h>

enum { MAX_CONNECTIONS = 256, MAX_PROCESSES = 256, BUFFER_BYTES = 1 << 18 };

static long warmup = 1000, count = 10000;
static int wanted = 8;

struct connection {
    int file, asks;
    long number; /* of the invocation under way here, or -1 */
    char request_id[37];
    size_t filled;
    char *buffer;
};

static struct connection connections[MAX_CONNECTIONS];
static int opened, asking, selector;
static long given, answered, failures;
static int64_t *written, *wall, began, ended, cpu_began, cpu_ended;

/* --- the client's processes ---------------------------------------------------------------------------- */

static pid_t processes[MAX_PROCESSES];
static int process_count;

static pid_t parent_of(pid_t process) {
    char path[64], text[512];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)process);
    FILE *file = fopen(path, "r");
    if (!file) return -1;
    size_t length = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[length] = 0;
    char *behind_name = strrchr(text, ')');
    int parent = -1;
    if (!behind_name || sscanf(behind_name + 1, " %*c %d", &parent) != 1) return -1;
    return parent;
}

/* The client and all that descend from it. Pids may wrap, so look until nothing is added. */
static void find_processes(void) {
    processes[0] = child;
    process_count = 1;
    for (int before = 0; before != process_count;) {
        before = process_count;
        DIR *folder = opendir("/proc");
        for (struct dirent *entry; folder && (entry = readdir(folder));) {
            pid_t process = atoi(entry->d_name), parent;
            int known = 0, belongs = 0;
            if (process <= 0 || (parent = parent_of(process)) <= 0) continue;
            for (int i = 0; i < process_count; i++) known |= processes[i] == process, belongs |= processes[i] == parent;
            if (belongs && !known && process_count < MAX_PROCESSES) processes[process_count++] = process;
        }
        if (folder) closedir(folder);
    }
}

static int64_t cpu_ns(void) {
    int64_t sum = 0;
    for (int i = 0; i < process_count; i++) {
        clockid_t clock;
        if (!clock_getcpuclockid(processes[i], &clock)) sum += now_ns(clock);
    }
    return sum;
}

static long pss_kib(void) {
    long sum = 0, kib;
    for (int i = 0; i < process_count; i++) {
        char path[64], line[256];
        snprintf(path, sizeof path, "/proc/%d/smaps_rollup", (int)processes[i]);
        FILE *file = fopen(path, "r");
        while (file && fgets(line, sizeof line, file))
            if (sscanf(line, "Pss: %ld", &kib) == 1) sum += kib;
        if (file) fclose(file);
    }
    return sum;
}

/* --- messages ------------------------------------------------------------------------------------------ */

static void send_whole(struct connection *to, struct iovec *parts, int number) {
    size_t total = 0;
    for (int i = 0; i < number; i++) total += parts[i].iov_len;
    /* The client has room: it reads before it answers, and an event is small. */
    if (writev(to->file, parts, number) != (ssize_t)total) fail("cannot write %zu bytes in one go", total);
}

static void give(struct connection *to) {
    struct event *event = prepare(given);
    struct iovec parts[] = {{event->head, event->head_length}, {event->body, event->body_length}};
    memcpy(to->request_id, event->request_id - 24, 36);
    to->number = given;
    to->asks = 0;
    asking--;
    if (given == warmup) {
        cpu_began = cpu_ns();
        began = now_ns(CLOCK_MONOTONIC);
    }
    written[given++] = now_ns(CLOCK_MONOTONIC);
    send_whole(to, parts, 2);
}

static void take_answer(struct connection *from, const char *path, size_t path_length) {
    if (memmem(path, path_length, "/init/error", 11)) fail("the client reports an init error: %.600s", path);
    if (from->number < 0 || !memmem(path, path_length, from->request_id, 36))
        fail("answer to another invocation: %.*s", (int)path_length, path);
    wall[from->number] = now_ns(CLOCK_MONOTONIC) - written[from->number];
    from->number = -1;
    failures += path_length > 6 && !memcmp(path + path_length - 6, "/error", 6);
    struct iovec part = {accepted, sizeof accepted - 1};
    send_whole(from, &part, 1);
    if (++answered == warmup + count) {
        ended = now_ns(CLOCK_MONOTONIC);
        cpu_ended = cpu_ns();
    }
}

/* One request at the start of the buffer; its length, or 0 if it is not whole yet. */
static size_t take_request(struct connection *from, char *start, size_t there) {
    char *stop = memmem(start, there, "\r\n\r\n", 4), *value;
    if (!stop) return 0;
    char *end = stop + 4;
    size_t body = 0;
    if (header(start, end, "transfer-encoding") || header(start, end, "expect")) fail("this server takes plain bodies");
    if ((value = header(start, end, "content-length"))) body = strtoul(value, NULL, 10);
    if (there < (size_t)(end - start) + body) return 0;
    char *path = memchr(start, ' ', end - start) + 1;
    size_t path_length = strcspn(path, " \r\n");
    if (start[0] == 'P') {
        take_answer(from, path, path_length);
    } else {
        from->asks = 1;
        asking++;
    }
    return end - start + body;
}

static void read_from(struct connection *from) {
    ssize_t got = recv(from->file, from->buffer + from->filled, BUFFER_BYTES - 1 - from->filled, 0);
    if (got <= 0) {
        if (from->asks || from->number >= 0) fail("a worker closed its connection");
        close(from->file);
        return;
    }
    from->filled += got;
    from->buffer[from->filled] = 0;
    size_t at = 0;
    for (size_t taken; at < from->filled && (taken = take_request(from, from->buffer + at, from->filled - at));)
        at += taken;
    memmove(from->buffer, from->buffer + at, from->filled -= at);
    if (from->filled == BUFFER_BYTES - 1) fail("a request of more than %d bytes", BUFFER_BYTES);
}

static void take_connection(void) {
    int file = accept(listener, NULL, NULL), on = 1;
    if (file < 0) return; /* also when the client has ended: the loop looks */
    if (opened == MAX_CONNECTIONS) fail("more than %d connections", MAX_CONNECTIONS);
    setsockopt(file, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    connections[opened] = (struct connection){.file = file, .number = -1, .buffer = malloc(BUFFER_BYTES)};
    struct epoll_event interest = {.events = EPOLLIN, .data.fd = opened++};
    epoll_ctl(selector, EPOLL_CTL_ADD, file, &interest);
}

static void wait_once(void) {
    struct epoll_event happened[64];
    int number = epoll_wait(selector, happened, 64, 1000);
    if (child_ended) {
        int status = 0;
        if (waitpid(child, &status, WNOHANG) == child) {
            kill(-child, SIGKILL); /* what it left behind */
            child = 0;
            fail("the client ended with status %d", WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status));
        }
        child_ended = 0;
    }
    for (int i = 0; i < number; i++) {
        if (happened[i].data.fd < 0) {
            take_connection();
            continue;
        }
        struct connection *ready = &connections[happened[i].data.fd];
        read_from(ready);
        if (given && ready->asks && given < warmup + count) give(ready);
    }
}

/* --- the run ------------------------------------------------------------------------------------------- */

static const char usage[] =
    "usage: crowd [options] --connections N --event FILE [--event FILE ...] -- COMMAND [ARGUMENT ...]\n"
    "  --connections N    invocations at once (8)\n"
    "  --count N          invocations to measure (10000)\n"
    "  --warmup N         invocations before them (1000)\n"
    "  --core K           run client and server on this core\n"
    "  --framing HOW      of events: auto (chunked above 2048 bytes, as Go does), length, chunked\n"
    "  --output FILE      where the client's output goes (/dev/null); - is stderr\n"
    "  --limit SECONDS    give up after this long (300)\n";

static char **read_options(int argc, char **argv) {
    static const struct option known[] = {
        {"event", 1, 0, 'e'},   {"count", 1, 0, 'n'},  {"warmup", 1, 0, 'w'}, {"core", 1, 0, 'k'},
        {"framing", 1, 0, 'f'}, {"output", 1, 0, 'o'}, {"limit", 1, 0, 'l'},  {"connections", 1, 0, 'N'},
        {0, 0, 0, 0},
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
            case 'o': output_path = optarg; break;
            case 'l': limit_s = atoi(optarg); break;
            case 'N': wanted = atoi(optarg); break;
            default: fputs(usage, stderr); exit(2);
        }
    if (!number || optind >= argc || wanted < 1 || count < 1) {
        fputs(usage, stderr);
        exit(2);
    }
    for (int i = 0; i < number; i++) add_event(paths[i]);
    return argv + optind;
}

int main(int argc, char **argv) {
    char **command = read_options(argc, argv), text[16];
    long total = warmup + count;
    struct rusage own_began, own_ended;
    written = calloc(total, sizeof *written);
    wall = calloc(total, sizeof *wall);
    snprintf(text, sizeof text, "%d", wanted);
    setenv("AWS_LAMBDA_MAX_CONCURRENCY", text, 1);
    setenv("AWS_LAMBDA_INITIALIZATION_TYPE", "lambda-managed-instances", 1);
    defaults();
    if (core >= 0) pin();
    listen_somewhere();
    selector = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event interest = {.events = EPOLLIN, .data.fd = -1};
    epoll_ctl(selector, EPOLL_CTL_ADD, listener, &interest);
    int64_t started = now_ns(CLOCK_MONOTONIC);
    start_child(command);

    while (asking < wanted) wait_once();
    int64_t start_ns = now_ns(CLOCK_MONOTONIC) - started;
    usleep(50000); /* until all wait, for a settled figure of their memory */
    find_processes();
    long pss_before = pss_kib();
    getrusage(RUSAGE_SELF, &own_began);
    for (int i = 0; i < opened; i++)
        if (connections[i].asks && given < total) give(&connections[i]);
    while (answered < total) wait_once();
    getrusage(RUSAGE_SELF, &own_ended);
    usleep(50000);
    int before = process_count;
    find_processes();
    if (process_count != before) fail("%d processes before and %d after", before, process_count);

    double own = (own_ended.ru_utime.tv_sec + own_ended.ru_stime.tv_sec - own_began.ru_utime.tv_sec -
                  own_began.ru_stime.tv_sec) * 1e6 +
                 (own_ended.ru_utime.tv_usec + own_ended.ru_stime.tv_usec - own_began.ru_utime.tv_usec -
                  own_began.ru_stime.tv_usec);
    printf("{\"invocations\": %ld, \"at_once\": %d, ", count, wanted);
    print_percentiles("wall_us", wall + warmup, count);
    printf("\"per_second\": %.1f, \"cpu_us\": %.2f, \"server_cpu_us\": %.2f, ", count * 1e9 / (ended - began),
           (cpu_ended - cpu_began) / 1e3 / count, own / total);
    printf("\"start_ms\": %.3f, \"start_pss_kib\": %ld, \"pss_kib\": %ld, ", start_ns / 1e6, pss_before, pss_kib());
    printf("\"processes\": %d, \"connections\": %d, \"failures\": %ld}\n", process_count, opened, failures);
    signal(SIGCHLD, SIG_DFL);
    stop_child();
    return 0;
}
