/*
 * A PKCS#11 module for tests: it passes every call on to a real module, and misbehaves as a control file says.
 *
 * LAB_SHIM_MODULE   path of the real module
 * LAB_SHIM_CONTROL  path of the control file, read again at every call; one line each:
 *     epoch N                       the token was pulled N times: sessions opened before are gone
 *     absent                        the token is not plugged in now
 *     flags HEX                     bits added to the flags of every token
 *     mechanism HEX                 the only mechanism that is offered (may stand more than once)
 *     RULE ACTION FUNCTION VALUE TIMES
 *                                   RULE a number, unique in the life of the shim; ACTION one of
 *                                   fail (return VALUE, hexadecimal), slow (VALUE milliseconds), hang, crash, print
 *                                   TIMES how often (0: always), counted across processes
 * Beside it, CONTROL.log collects "call FUNCTION" and "rule RULE" lines.
 *
 * The function list is declared here as it stands in PKCS#11 v2.40: a version, then 68 pointers in a fixed order.
 * That keeps the shim free of headers which a host may not have.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef unsigned long CK_ULONG;
typedef CK_ULONG CK_RV;

typedef struct {
    unsigned char major, minor;
    void *functions[68];
} FUNCTION_LIST;

enum { INITIALIZE = 0, GET_FUNCTION_LIST = 3, GET_SLOT_LIST = 4, GET_TOKEN_INFO = 6, GET_MECHANISM_LIST = 7, OPEN_SESSION = 12,
       CLOSE_SESSION = 13, CLOSE_ALL_SESSIONS = 14, LOGIN = 18, LOGOUT = 19, GET_ATTRIBUTE_VALUE = 24,
       FIND_OBJECTS_INIT = 26, FIND_OBJECTS = 27, SIGN_INIT = 42, SIGN = 43 };

enum { FLAGS_OFFSET = 96 }; /* CK_TOKEN_INFO: label 32, manufacturer 32, model 16, serial 16, then the flags */

enum { OK = 0x00, FUNCTION_FAILED = 0x06, DEVICE_REMOVED = 0x32, SESSION_HANDLE_INVALID = 0xB3, TOKEN_NOT_PRESENT = 0xE0 };

static FUNCTION_LIST *real;
static FUNCTION_LIST ours;
static long epoch_seen;
static int sessions_gone;

typedef struct {
    long epoch;
    int absent;
    CK_ULONG flags;
    CK_ULONG mechanisms[8];
    int mechanism_count;
} CONTROL;

static void note(const char *word, const char *rest)
{
    char path[4096], line[256];
    snprintf(path, sizeof path, "%s.log", getenv("LAB_SHIM_CONTROL"));
    int size = snprintf(line, sizeof line, "%s %s\n", word, rest);
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (fd < 0 || write(fd, line, (size_t)size) != size)
        abort();
    close(fd);
}

static long fired(const char *rule)
{
    char path[4096], line[256], wanted[256];
    long count = 0;
    snprintf(path, sizeof path, "%s.log", getenv("LAB_SHIM_CONTROL"));
    snprintf(wanted, sizeof wanted, "rule %s\n", rule);
    FILE *log = fopen(path, "r");
    if (log == NULL)
        return 0;
    while (fgets(line, sizeof line, log) != NULL)
        count += strcmp(line, wanted) == 0;
    fclose(log);
    return count;
}

/* Do what one rule says; return what the function has to return, OK when it should go on. */
static CK_RV obey(const char *rule, const char *action, const char *value, long times)
{
    if (times != 0 && fired(rule) >= times)
        return OK;
    note("rule", rule);
    if (strcmp(action, "fail") == 0)
        return strtoul(value, NULL, 16);
    if (strcmp(action, "slow") == 0)
        usleep((useconds_t)strtoul(value, NULL, 10) * 1000);
    else if (strcmp(action, "hang") == 0)
        for (;;)
            pause();
    else if (strcmp(action, "crash") == 0)
        abort();
    else if (strcmp(action, "print") == 0) {
        printf("a driver that talks to standard output\n");
        fflush(stdout);
    }
    return OK;
}

static CK_RV control(const char *function, CONTROL *state)
{
    char line[512], rule[32], action[32], name[64], value[32];
    long times;
    CK_RV result = OK;
    memset(state, 0, sizeof *state);
    note("call", function);
    FILE *file = fopen(getenv("LAB_SHIM_CONTROL"), "r");
    if (file == NULL)
        return OK;
    while (fgets(line, sizeof line, file) != NULL) {
        if (sscanf(line, "epoch %ld", &state->epoch) == 1)
            continue;
        if (sscanf(line, "flags %lx", &state->flags) == 1)
            continue;
        if (state->mechanism_count < 8 && sscanf(line, "mechanism %lx", &state->mechanisms[state->mechanism_count]) == 1)
            state->mechanism_count++;
        else if (strncmp(line, "absent", 6) == 0)
            state->absent = 1;
        else if (sscanf(line, "%31s %31s %63s %31s %ld", rule, action, name, value, &times) == 5
                 && strcmp(name, function) == 0 && result == OK)
            result = obey(rule, action, value, times);
    }
    fclose(file);
    return result;
}

static void end_sessions(void)
{
    CK_ULONG slots[64], count = 64;
    CK_RV (*list)(unsigned char, CK_ULONG *, CK_ULONG *) = real->functions[GET_SLOT_LIST];
    CK_RV (*close_all)(CK_ULONG) = real->functions[CLOSE_ALL_SESSIONS];
    if (list(1, slots, &count) != OK)
        abort();
    for (CK_ULONG i = 0; i < count; i++)
        close_all(slots[i]);
    sessions_gone = 1;
}

/* What a function that works on a slot or a session has to answer before it may go on. */
static CK_RV enter(const char *function, int in_session)
{
    CONTROL state;
    CK_RV result = control(function, &state);
    if (state.epoch != epoch_seen) {
        end_sessions();
        epoch_seen = state.epoch;
    }
    if (state.absent)
        return in_session ? DEVICE_REMOVED : TOKEN_NOT_PRESENT;
    if (in_session && sessions_gone)
        return SESSION_HANDLE_INVALID;
    return result;
}

static CK_RV initialize(void *arguments)
{
    CONTROL state;
    CK_RV (*call)(void *) = real->functions[INITIALIZE];
    CK_RV result = control("C_Initialize", &state);
    epoch_seen = state.epoch;
    return result != OK ? result : call(arguments);
}

static CK_RV get_slot_list(unsigned char present, CK_ULONG *slots, CK_ULONG *count)
{
    CONTROL state;
    CK_RV (*call)(unsigned char, CK_ULONG *, CK_ULONG *) = real->functions[GET_SLOT_LIST];
    CK_RV result = control("C_GetSlotList", &state);
    if (result != OK)
        return result;
    if (state.absent && present) {
        *count = 0;
        return OK;
    }
    return call(present, slots, count);
}

static CK_RV get_token_info(CK_ULONG slot, void *info)
{
    CONTROL state;
    CK_RV (*call)(CK_ULONG, void *) = real->functions[GET_TOKEN_INFO];
    CK_RV result = control("C_GetTokenInfo", &state);
    if (result == OK && state.absent)
        result = TOKEN_NOT_PRESENT;
    if (result == OK)
        result = call(slot, info);
    if (result == OK)
        *(CK_ULONG *)((char *)info + FLAGS_OFFSET) |= state.flags;
    return result;
}

static CK_RV get_mechanism_list(CK_ULONG slot, CK_ULONG *list, CK_ULONG *count)
{
    CONTROL state;
    CK_RV (*call)(CK_ULONG, CK_ULONG *, CK_ULONG *) = real->functions[GET_MECHANISM_LIST];
    CK_RV result = control("C_GetMechanismList", &state);
    if (result != OK || state.mechanism_count == 0)
        return result != OK ? result : call(slot, list, count);
    *count = (CK_ULONG)state.mechanism_count;
    if (list != NULL)
        memcpy(list, state.mechanisms, sizeof(CK_ULONG) * (size_t)state.mechanism_count);
    return OK;
}

static CK_RV open_session(CK_ULONG slot, CK_ULONG flags, void *application, void *notify, CK_ULONG *session)
{
    CK_RV (*call)(CK_ULONG, CK_ULONG, void *, void *, CK_ULONG *) = real->functions[OPEN_SESSION];
    CK_RV result = enter("C_OpenSession", 0);
    if (result != OK)
        return result;
    sessions_gone = 0;
    return call(slot, flags, application, notify, session);
}

#define IN_SESSION(NAME, INDEX, PARAMETERS, ARGUMENTS)             \
    static CK_RV NAME PARAMETERS                                   \
    {                                                              \
        CK_RV(*call) PARAMETERS = real->functions[INDEX];          \
        CK_RV result = enter("C_" #NAME, 1);                       \
        return result != OK ? result : call ARGUMENTS;             \
    }

IN_SESSION(Login, LOGIN, (CK_ULONG s, CK_ULONG u, void *p, CK_ULONG n), (s, u, p, n))
IN_SESSION(Logout, LOGOUT, (CK_ULONG s), (s))
IN_SESSION(GetAttributeValue, GET_ATTRIBUTE_VALUE, (CK_ULONG s, CK_ULONG o, void *t, CK_ULONG n), (s, o, t, n))
IN_SESSION(FindObjectsInit, FIND_OBJECTS_INIT, (CK_ULONG s, void *t, CK_ULONG n), (s, t, n))
IN_SESSION(FindObjects, FIND_OBJECTS, (CK_ULONG s, CK_ULONG *o, CK_ULONG m, CK_ULONG *n), (s, o, m, n))
IN_SESSION(SignInit, SIGN_INIT, (CK_ULONG s, void *m, CK_ULONG k), (s, m, k))
IN_SESSION(Sign, SIGN, (CK_ULONG s, void *d, CK_ULONG n, void *g, CK_ULONG *m), (s, d, n, g, m))

CK_RV C_GetFunctionList(FUNCTION_LIST **list);

CK_RV C_GetFunctionList(FUNCTION_LIST **list)
{
    if (real == NULL) {
        void *module = dlopen(getenv("LAB_SHIM_MODULE"), RTLD_NOW | RTLD_LOCAL);
        CK_RV (*get)(FUNCTION_LIST **) = module == NULL ? NULL : dlsym(module, "C_GetFunctionList");
        if (get == NULL || get(&real) != OK)
            return FUNCTION_FAILED;
        ours = *real;
        ours.functions[INITIALIZE] = initialize;
        ours.functions[GET_FUNCTION_LIST] = C_GetFunctionList;
        ours.functions[GET_SLOT_LIST] = get_slot_list;
        ours.functions[GET_TOKEN_INFO] = get_token_info;
        ours.functions[GET_MECHANISM_LIST] = get_mechanism_list;
        ours.functions[OPEN_SESSION] = open_session;
        ours.functions[LOGIN] = Login;
        ours.functions[LOGOUT] = Logout;
        ours.functions[GET_ATTRIBUTE_VALUE] = GetAttributeValue;
        ours.functions[FIND_OBJECTS_INIT] = FindObjectsInit;
        ours.functions[FIND_OBJECTS] = FindObjects;
        ours.functions[SIGN_INIT] = SignInit;
        ours.functions[SIGN] = Sign;
    }
    *list = &ours;
    return OK;
}
