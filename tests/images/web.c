/*
 * A small web service that the end-to-end tests and the examples run: it starts, becomes ready, fails and stops as its
 * environment says, so that a test decides what a rollout meets. One static binary without a shell, made to be process 1.
 * It must hold no rule of evenkeel: it only behaves.
 *
 *   web          serves; the settings are below
 *   web once     prints a line, waits RUN_FOR seconds, exits with EXIT_CODE (a one-shot)
 *   web check    exits 0 when the service beside it answers 200 on /health, else 1 (a healthcheck without a shell)
 *
 * Settings, all from the environment, times in seconds with a fraction:
 *   PORT=8080          where it listens
 *   VERSION=0          what /version and, while it is ready, / answer
 *   SAY=               printed at the start
 *   LISTEN_AFTER=0     does not listen before
 *   READY_AFTER=0      not ready before: / and /health answer 503
 *   SICK_AFTER=        not ready after
 *   STOP_AFTER=        exits by itself after, with EXIT_CODE
 *   TERM_AFTER=0       goes on serving for so long after SIGTERM; `never` ignores the signal
 *   FAIL=              exit:N   exits with N at once
 *                      starts:N exits with 1 in the container's first N starts
 *                      health   is never ready
 *                      oom      takes memory until it is killed (512 MiB at most)
 *                      deaf     runs and never listens
 *                      hang     accepts connections and never answers
 *
 * Paths: / and /version, /health, /env?NAME, /file?PATH, /slow?SECONDS (answers after), /eat?MIB (takes memory),
 * /sick and /well (turn readiness), /exit?CODE (the process ends at once).
 *
 * Where a folder /data is mounted it keeps a lock on /data/lock while it runs and appends to /data/log a line each for
 * `start VERSION HOST`, `stop VERSION HOST`, and `overlap VERSION HOST` when another one holds that lock.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char *version, *failing;
static char host[65];
static double started;
static double ready_after, sick_after;
static atomic_int sick, in_flight;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void wait_for(double seconds) {
    struct timespec t = {.tv_sec = (time_t)seconds, .tv_nsec = (long)((seconds - (double)(time_t)seconds) * 1e9)};
    while (nanosleep(&t, &t) < 0 && errno == EINTR) {
    }
}

static const char *setting(const char *name, const char *otherwise) {
    const char *value = getenv(name);
    return value && *value ? value : otherwise;
}

/* Seconds, or a time that never comes when the setting is absent. */
static double seconds_or_never(const char *name) {
    const char *value = setting(name, NULL);
    return value && strcmp(value, "never") != 0 ? atof(value) : 1e12;
}

static int says(const char *text, const char *prefix, const char **rest) {
    size_t length = strlen(prefix);
    if (strncmp(text, prefix, length) != 0) return 0;
    *rest = text + length;
    return 1;
}

static void data_line(const char *event) {
    int log = open("/data/log", O_WRONLY | O_APPEND | O_CREAT, 0644);
    if (log < 0) return;
    dprintf(log, "%s %s %s\n", event, version, host);
    close(log);
}

/* The lock is held by the open file until the process ends, however it ends. */
static void claim_data(void) {
    struct stat folder;
    if (stat("/data", &folder) < 0 || !S_ISDIR(folder.st_mode)) return;
    int lock = open("/data/lock", O_RDWR | O_CREAT, 0644);
    if (lock >= 0 && flock(lock, LOCK_EX | LOCK_NB) < 0) data_line("overlap");
    data_line("start");
}

static void eat(long mebibytes) {
    for (long i = 0; i < mebibytes; i++) {
        char *block = malloc(1 << 20);
        if (block) memset(block, (int)i | 1, 1 << 20);
    }
}

static int ready(void) {
    double age = now() - started;
    return !sick && strcmp(failing, "health") != 0 && age >= ready_after && age < sick_after;
}

static void answer(int client, int status, const char *format, ...) {
    char body[8192], head[160];
    va_list values;
    va_start(values, format);
    int length = vsnprintf(body, sizeof body, format, values);
    va_end(values);
    if (length >= (int)sizeof body) length = sizeof body - 1;
    const char *reason = status == 200 ? "OK" : status == 404 ? "Not Found" : "Service Unavailable";
    int head_length = snprintf(head, sizeof head,
        "HTTP/1.1 %d %s\r\nContent-Type: text/plain\r\nContent-Length: %d\r\nConnection: close\r\n\r\n", status, reason, length);
    if (send(client, head, (size_t)head_length, MSG_NOSIGNAL | MSG_MORE) >= 0) send(client, body, (size_t)length, MSG_NOSIGNAL);
}

static void answer_file(int client, const char *path) {
    char content[4096] = "";
    int file = open(path, O_RDONLY);
    ssize_t length = file < 0 ? -1 : read(file, content, sizeof content - 1);
    if (file >= 0) close(file);
    if (length < 0) answer(client, 404, "%s: %s\n", path, strerror(errno));
    else answer(client, 200, "%.*s", (int)length, content);
}

static void turn(int client, int now_sick) {
    sick = now_sick;
    answer(client, 200, "%s\n", now_sick ? "sick" : "well");
}

static void route(int client, const char *path) {
    const char *value;
    if (strcmp(path, "/version") == 0) answer(client, 200, "%s\n", version);
    else if (strcmp(path, "/health") == 0) ready() ? answer(client, 200, "ok\n") : answer(client, 503, "not ready\n");
    else if (strcmp(path, "/") == 0) ready() ? answer(client, 200, "version %s on %s\n", version, host) : answer(client, 503, "not ready\n");
    else if (strcmp(path, "/sick") == 0) turn(client, 1);
    else if (strcmp(path, "/well") == 0) turn(client, 0);
    else if (says(path, "/env?", &value)) answer(client, getenv(value) ? 200 : 404, "%s\n", setting(value, ""));
    else if (says(path, "/file?", &value)) answer_file(client, value);
    else if (says(path, "/slow?", &value)) wait_for(atof(value)), answer(client, 200, "%s\n", version);
    else if (says(path, "/eat?", &value)) eat(atol(value)), answer(client, 200, "ate %s MiB\n", value);
    else if (says(path, "/exit?", &value)) _exit(atoi(value));
    else answer(client, 404, "no such page: %s\n", path);
}

static void *serve(void *argument) {
    int client = (int)(long)argument;
    struct timeval limit = {.tv_sec = 5};
    setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    char request[8192] = "", path[4096] = "";
    size_t length = 0;
    while (length < sizeof request - 1 && !strstr(request, "\r\n\r\n")) {
        ssize_t got = recv(client, request + length, sizeof request - 1 - length, 0);
        if (got <= 0) break;
        length += (size_t)got;
        request[length] = 0;
    }
    if (sscanf(request, "%*7s %4095s", path) == 1) route(client, path);
    shutdown(client, SHUT_WR);
    close(client);
    in_flight--;
    return NULL;
}

static void take(int listener) {
    int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (client < 0 || strcmp(failing, "hang") == 0) return;
    in_flight++;
    pthread_t thread;
    pthread_attr_t small;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 128 * 1024);
    pthread_attr_setdetachstate(&small, PTHREAD_CREATE_DETACHED);
    if (pthread_create(&thread, &small, serve, (void *)(long)client) != 0) {
        close(client);
        in_flight--;
    }
    pthread_attr_destroy(&small);
}

static int listen_on(int port) {
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), yes = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0 || listen(listener, 512) < 0) {
        fprintf(stderr, "web: cannot listen on port %d: %s\n", port, strerror(errno));
        exit(1);
    }
    printf("web %s listening on port %d\n", version, port);
    return listener;
}

static int count_start(void) {
    int count = 0;
    FILE *file = fopen("/tmp/starts", "r");
    if (file && fscanf(file, "%d", &count) != 1) count = 0;
    if (file) fclose(file);
    file = fopen("/tmp/starts", "w");
    if (file) fprintf(file, "%d\n", count + 1), fclose(file);
    return count + 1;
}

static void fail_at_start(void) {
    const char *value;
    if (says(failing, "exit:", &value)) {
        fprintf(stderr, "web: told to fail with %s\n", value);
        exit(atoi(value));
    }
    if (says(failing, "starts:", &value)) {
        int start = count_start();
        if (start > atoi(value)) return;
        fprintf(stderr, "web: told to fail in start %d\n", start);
        exit(1);
    }
    if (strcmp(failing, "oom") == 0) {
        eat(512);
        fprintf(stderr, "web: took 512 MiB and was not killed\n");
        exit(1);
    }
}

/* Ends when a signal or STOP_AFTER says so. `signals` is readable when SIGTERM or SIGINT came. */
static int run(int port, int signals) {
    double listen_at = strcmp(failing, "deaf") == 0 ? 1e12 : started + atof(setting("LISTEN_AFTER", "0"));
    double stop_at = started + seconds_or_never("STOP_AFTER"), end = stop_at;
    double linger = strcmp(setting("TERM_AFTER", "0"), "never") == 0 ? 1e12 : atof(setting("TERM_AFTER", "0"));
    int listener = -1;
    while (now() < end) {
        if (listener < 0 && now() >= listen_at) listener = listen_on(port);
        double next = listener < 0 && listen_at < end ? listen_at : end;
        double left = (next - now()) * 1000 + 1;
        struct pollfd waiting[2] = {{.fd = signals, .events = POLLIN}, {.fd = listener, .events = POLLIN}};
        if (poll(waiting, 2, left > 60000 ? 60000 : left < 0 ? 0 : (int)left) < 0 && errno != EINTR) return 1;
        if (waiting[0].revents & POLLIN) {
            struct signalfd_siginfo got;
            if (read(signals, &got, sizeof got) > 0 && now() + linger < end) end = now() + linger;
        }
        if (listener >= 0 && (waiting[1].revents & POLLIN)) take(listener);
    }
    if (listener >= 0) close(listener);
    for (double limit = now() + 10; in_flight > 0 && now() < limit;) wait_for(0.005);
    data_line("stop");
    printf("web %s stopped\n", version);
    return end == stop_at ? atoi(setting("EXIT_CODE", "0")) : 0;
}

static int check(int port) {
    int server = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval limit = {.tv_sec = 2};
    setsockopt(server, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    char reply[64] = "", *request = "GET /health HTTP/1.0\r\n\r\n";
    if (connect(server, (struct sockaddr *)&address, sizeof address) < 0) return 1;
    if (send(server, request, strlen(request), 0) < 0 || recv(server, reply, sizeof reply - 1, 0) <= 0) return 1;
    return strncmp(reply, "HTTP/1.1 200", 12) == 0 ? 0 : 1;
}

static void quit(int signal_number) {
    _exit(128 + signal_number);
}

static int once(void) {
    signal(SIGTERM, quit);
    signal(SIGINT, quit);
    printf("once %s\n", version);
    data_line("once");
    wait_for(atof(setting("RUN_FOR", "0")));
    return atoi(setting("EXIT_CODE", "0"));
}

int main(int count, char **words) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    const char *verb = count > 1 ? words[1] : "serve";
    int port = atoi(setting("PORT", "8080"));
    if (strcmp(verb, "check") == 0) return check(port);

    /* Process 1 gets no default action for a signal: they are read from a descriptor instead. */
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    started = now();
    version = setting("VERSION", "0");
    failing = setting("FAIL", "");
    gethostname(host, sizeof host - 1);
    if (*setting("SAY", "")) printf("%s\n", setting("SAY", ""));
    fail_at_start();
    if (strcmp(verb, "once") == 0) return once();

    sigprocmask(SIG_BLOCK, &set, NULL);
    int signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    ready_after = atof(setting("READY_AFTER", "0"));
    sick_after = seconds_or_never("SICK_AFTER");
    claim_data();
    return run(port, signals);
}
